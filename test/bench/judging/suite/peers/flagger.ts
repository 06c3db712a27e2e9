import type { Policy } from "../policy.ts";
import { add, emptyWindow, histogramQuantile } from "./window.ts";

const INTERVAL_S = 60;
/** Failed checks, over the whole rollout, that roll back. */
const THRESHOLD = 5;
const LEAST_SUCCESS_PERCENT = 99;
const HIGHEST_P99_MS = 500;
const STEP = 0.05;
const HIGHEST = 0.5;

/**
 * How Flagger judges, after its sources (`pkg/controller/scheduler.go`, `pkg/metrics/observers/istio.go`): every minute success and
 * p99 against constants; a miss, or no data, is a failed check; these add up and are looked at when the next run begins.
 */
export function flagger(): Policy {
  let boundsMs: readonly number[] = [];
  let tickS = 0;
  let window = emptyWindow([]);
  let failed = 0;
  let weight = STEP;
  return {
    start(context) {
      boundsMs = context.bounds;
      tickS = context.tickS;
      window = emptyWindow(boundsMs);
      return weight;
    },
    step({ sec, canary }) {
      add(window, canary);
      if ((sec + tickS) % INTERVAL_S !== 0) return { action: "hold" };
      const { n, errors, hist } = window;
      window = emptyWindow(boundsMs);
      if (failed >= THRESHOLD) return { action: "rollback" };
      const isFast = !(histogramQuantile(hist, boundsMs, 0.99) > HIGHEST_P99_MS);
      if (n === 0 || 100 * (1 - errors / n) < LEAST_SUCCESS_PERCENT || !isFast) {
        failed += 1;
        return { action: "hold" };
      }
      if (weight >= HIGHEST - 1e-9) return { action: "promote" };
      weight = Math.min(HIGHEST, weight + STEP);
      return { action: "weight", weight };
    },
  };
}

import type { Policy } from "../policy.ts";
import { add, emptyWindow } from "./window.ts";

const INTERVAL_S = 60;
const LEAST_SUCCESS = 0.95;
/** More failed measurements than this abort. */
const FAILURE_LIMIT = 3;
const STEPS = [0.2, 0.4, 0.6, 0.8];
const PAUSE_S = 600;

/**
 * How Argo Rollouts judges with the example of its documentation, after its sources (`analysis/analysis.go`): background analysis of
 * the success rate every minute, failures counted over the whole rollout, steps by the clock.
 */
export function argo(): Policy {
  let boundsMs: readonly number[] = [];
  let tickS = 0;
  let window = emptyWindow([]);
  let failed = 0;
  let step = 0;
  return {
    start(context) {
      boundsMs = context.bounds;
      tickS = context.tickS;
      window = emptyWindow(boundsMs);
      return STEPS[0] ?? 0;
    },
    step({ sec, canary }) {
      add(window, canary);
      const endS = sec + tickS;
      if (endS % INTERVAL_S === 0) {
        const { n, errors } = window;
        window = emptyWindow(boundsMs);
        if (n === 0 || 1 - errors / n < LEAST_SUCCESS) failed += 1;
        if (failed > FAILURE_LIMIT) return { action: "rollback" };
      }
      if (endS % PAUSE_S !== 0) return { action: "hold" };
      step += 1;
      const weight = STEPS[step];
      return weight === undefined ? { action: "promote" } : { action: "weight", weight };
    },
  };
}

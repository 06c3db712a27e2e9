import type { Action, Policy, SideCounts } from "../policy.ts";
import { isHigh } from "./mann-whitney.ts";
import { add, emptyWindow, histogramQuantile, type Window } from "./window.ts";

const WEIGHT = 0.1;
const MINUTE_S = 60;
const JUDGED_EVERY_S = 300;
const LIFETIME_S = 1800;
/** A score below the first fails at once; the last must reach the second. */
const MARGINAL = 75;
const PASS = 95;

/** Values of one side, one a minute. */
interface Series {
  readonly errors: number[];
  readonly p50: number[];
  readonly p99: number[];
}

/**
 * How Kayenta's NetflixACAJudge judges, after its sources (`WeightedSumScorer.scala` and see `mann-whitney.ts`): error rate, p50 and
 * p99 as series of one value a minute, canary against stable at the same time; the score is the percentage that is not high.
 */
export function kayenta(): Policy {
  let boundsMs: readonly number[] = [];
  let tickS = 0;
  const series = { canary: emptySeries(), stable: emptySeries() };
  let windows = { canary: emptyWindow([]), stable: emptyWindow([]) };
  const restart = (): void => {
    windows = { canary: emptyWindow(boundsMs), stable: emptyWindow(boundsMs) };
  };
  const take = (side: "canary" | "stable", counts: SideCounts): void => add(windows[side], counts);
  return {
    start(context) {
      boundsMs = context.bounds;
      tickS = context.tickS;
      restart();
      return WEIGHT;
    },
    step(tick) {
      take("canary", tick.canary);
      take("stable", tick.stable);
      const endS = tick.sec + tickS;
      if (endS % MINUTE_S === 0) {
        extend(series.canary, windows.canary, boundsMs);
        extend(series.stable, windows.stable, boundsMs);
        restart();
      }
      return endS % JUDGED_EVERY_S === 0 ? verdict(scoreOf(series.canary, series.stable), endS) : { action: "hold" };
    },
  };
}

const emptySeries = (): Series => ({ errors: [], p50: [], p99: [] });

function extend(series: Series, { n, errors, hist }: Window, boundsMs: readonly number[]): void {
  if (n === 0) return;
  series.errors.push(errors / n);
  series.p50.push(histogramQuantile(hist, boundsMs, 0.5));
  series.p99.push(histogramQuantile(hist, boundsMs, 0.99));
}

/** Percentage of the metrics that pass; 0 without data. */
function scoreOf(canary: Series, stable: Series): number {
  const judged = (["errors", "p50", "p99"] as const).filter((metric) => canary[metric].length > 0 && stable[metric].length > 0);
  const passed = judged.filter((metric) => !isHigh(canary[metric], stable[metric]));
  return judged.length === 0 ? 0 : (100 * passed.length) / judged.length;
}

function verdict(score: number, endS: number): Action {
  if (score < MARGINAL) return { action: "rollback" };
  if (endS < LIFETIME_S) return { action: "hold" };
  return { action: score >= PASS ? "promote" : "rollback" };
}

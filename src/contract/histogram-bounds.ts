import { LATENCY_BOUNDS_MS, METRICS } from "./names.ts";

/** Upper bounds of what sidecars measure of themselves, in milliseconds; the last bucket is open. */
export const DECISION_BOUNDS_MS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100] as const;
export const DELAY_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000] as const;
export const LAG_BOUNDS_MS = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000] as const;
/** Upper bounds of a controller's looks at all rollouts, in milliseconds. */
export const TICK_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] as const;

/** The bounds of each histogram, by its name. */
export const BOUNDS_MS: Readonly<Record<string, readonly number[]>> = {
  [METRICS.outcomeDuration]: LATENCY_BOUNDS_MS,
  [METRICS.requestDuration]: LATENCY_BOUNDS_MS,
  [METRICS.firstByteDuration]: LATENCY_BOUNDS_MS,
  [METRICS.decisionDuration]: DECISION_BOUNDS_MS,
  [METRICS.eventLoopDelay]: DELAY_BOUNDS_MS,
  [METRICS.rulesLag]: LAG_BOUNDS_MS,
  [METRICS.tickDuration]: TICK_BOUNDS_MS,
};

import type { SideCounts } from "../policy.ts";

/** Counts of several ticks. */
export interface Window {
  n: number;
  errors: number;
  readonly hist: number[];
}

export const emptyWindow = (boundsMs: readonly number[]): Window => ({
  n: 0,
  errors: 0,
  hist: new Array<number>(boundsMs.length + 1).fill(0),
});

/** Adds a tick's counts. */
export function add(window: Window, { n, errors, hist }: SideCounts): void {
  window.n += n;
  window.errors += errors;
  for (const [bucket, count] of hist.entries()) window.hist[bucket] = (window.hist[bucket] ?? 0) + count;
}

/** Prometheus' `histogram_quantile`: linear inside the bucket, the last bound beyond it; NaN without requests. */
export function histogramQuantile(hist: readonly number[], boundsMs: readonly number[], part: number): number {
  const all = hist.reduce((sum, count) => sum + count, 0);
  if (all === 0) return Number.NaN;
  const rank = part * all;
  let below = 0;
  for (const [bucket, bound] of boundsMs.entries()) {
    const count = hist[bucket] ?? 0;
    if (below + count >= rank) {
      const low = bucket === 0 ? 0 : (boundsMs[bucket - 1] ?? 0);
      return low + (bound - low) * (count === 0 ? 1 : (rank - below) / count);
    }
    below += count;
  }
  return boundsMs.at(-1) ?? Number.NaN;
}

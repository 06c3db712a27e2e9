import { COLD_FACTOR, LEAST_BOUND_MS, QUANTILE_SAMPLE } from "./parameters.ts";

/** Requests above the latency bound of this index. `latency[i]` counts requests up to bound i; the last bucket is open. */
export function slowerThan(latency: readonly number[], bound: number): number {
  let slower = 0;
  for (let bucket = bound + 1; bucket < latency.length; bucket += 1) slower += Number(latency[bucket]);
  return slower;
}

/** All requests of a histogram. */
export const countOf = (latency: readonly number[]): number => slowerThan(latency, -1);

/**
 * Index of the latency bound nearest to a quantile of stable, in odds of being slower, so that 1.2 % is near to 1 % and 0.1 %
 * is not; null until enough of stable is known. It is chosen once, from the past alone: a bound that follows the data would
 * make the counts above it depend on the choice, and the bets would no longer be fair.
 */
export function boundNear(latency: readonly number[], quantile: number, boundsMs: readonly number[]): number | null {
  const all = countOf(latency);
  if (all < QUANTILE_SAMPLE) return null;
  const wanted = Math.log((1 - quantile) / quantile);
  let best = { index: 0, distance: Number.POSITIVE_INFINITY };
  for (const [index, boundMs] of boundsMs.entries()) {
    const slower = slowerThan(latency, index);
    const distance = Math.abs(Math.log((slower + 0.5) / (all - slower + 0.5)) - wanted);
    if (boundMs >= LEAST_BOUND_MS && distance < best.distance) best = { index, distance };
  }
  return best.index;
}

/** Index of the bound that counts for a cold canary: its first requests meet cold code and caches and may take several times as long. */
export function coldBound(bound: number, boundsMs: readonly number[]): number {
  const leastMs = COLD_FACTOR * Number(boundsMs[bound]);
  const index = boundsMs.findIndex((boundMs) => boundMs >= leastMs);
  return index === -1 ? boundsMs.length - 1 : index;
}

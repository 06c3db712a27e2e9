import type { Histogram } from "@opentelemetry/sdk-metrics";

/** How often values of each size came, cumulative; plain numbers, because an OpenTelemetry histogram costs a microsecond a value. */
export interface Distribution {
  /** Upper bounds in milliseconds, rising. */
  readonly boundsMs: readonly number[];
  /** A count for each bound, and one for what is above all. */
  readonly counts: number[];
  sumMs: number;
}

/** Nothing counted yet. */
export const emptyDistribution = (boundsMs: readonly number[]): Distribution => ({ boundsMs, counts: emptyCounts(boundsMs), sumMs: 0 });

/** A count for each bound, and one for what is above all. */
export const emptyCounts = (bounds: readonly number[]): number[] => Array.from({ length: bounds.length + 1 }, () => 0);

/** Counts one value. */
export function measure(distribution: Distribution, ms: number): void {
  countIn(distribution.counts, distribution.boundsMs, ms);
  distribution.sumMs += ms;
}

/** Counts one value in the first bucket whose bound is not below it. */
export function countIn(counts: number[], bounds: readonly number[], value: number): void {
  const bucket = bucketIndex(bounds, value);
  counts[bucket] = (counts[bucket] ?? 0) + 1;
}

/** Index of the first bound that is not below the value; the number of bounds for the open bucket. */
export function bucketIndex(bounds: readonly number[], value: number): number {
  let index = 0;
  while (index < bounds.length && !(value <= (bounds[index] ?? 0))) index += 1;
  return index;
}

/** The same counts as OpenTelemetry has them, in seconds. */
export const histogramOf = ({ boundsMs, counts, sumMs }: Distribution): Histogram => ({
  buckets: { boundaries: boundsMs.map((bound) => bound / 1_000), counts: [...counts] },
  count: counts.reduce((total, each) => total + each, 0),
  sum: sumMs / 1_000,
});

import { LATENCY_BOUNDS_MS } from "../contract/names.ts";

/** A count for each latency bound, and one for what is slower. */
export const emptyBuckets = (): number[] => Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);

export function countLatency(buckets: number[], latencyMs: number): void {
  const bucket = bucketIndex(latencyMs);
  buckets[bucket] = (buckets[bucket] ?? 0) + 1;
}

/** Index of the first bound that is not below the value; the number of bounds for the open bucket. */
export function bucketIndex(latencyMs: number): number {
  const index = LATENCY_BOUNDS_MS.findIndex((bound) => latencyMs <= bound);
  return index === -1 ? LATENCY_BOUNDS_MS.length : index;
}

import type { Random } from "./random.ts";
import type { LatencyPart } from "./scenario.ts";

/** Below so many requests each is drawn by itself. */
const FEW = 48;
/** Steps of the factor, on a logarithmic scale: so few that what is computed can be kept. */
const LOG_STEP = 0.005;
const MOST_KEPT = 4_000;

const SERIES = [1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277];

/** Normal distribution function (Numerical Recipes' rational approximation of erfc, relative error below 1.2e-7). */
function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const inner = SERIES.reduceRight((sum, coefficient) => coefficient + t * sum, 0);
  const both = t * Math.exp(-x * x - 1.26551223 + t * inner);
  return z >= 0 ? 1 - both / 2 : both / 2;
}

/** Part of the requests that take longer than `ms`, in a mixture of lognormal distributions whose times are all multiplied by `e^logFactor`. */
export function slowerThan(mixture: readonly LatencyPart[], ms: number, logFactor = 0): number {
  let sum = 0;
  for (const { w, median_ms, sigma } of mixture) {
    sum += w * (1 - normalBelow((Math.log(ms) - Math.log(median_ms) - logFactor) / sigma));
  }
  return sum;
}

/** Time below which that part of the requests ends, in milliseconds. */
export function quantileMs(mixture: readonly LatencyPart[], part: number): number {
  let low = 0.01;
  let high = 1e6;
  for (let halving = 0; halving < 80; halving += 1) {
    const middle = Math.sqrt(low * high);
    if (1 - slowerThan(mixture, middle) < part) low = middle;
    else high = middle;
  }
  return low;
}

/** How one version's requests fall into buckets. */
export interface LatencyTable {
  /** Chances of the buckets when all times are multiplied by `e^logFactor`. */
  chances(logFactor: number): Float64Array;
}

/** Computes a version's buckets when they are first asked for, and keeps them. */
export function latencyTable(mixture: readonly LatencyPart[], boundsMs: readonly number[]): LatencyTable {
  const kept = new Map<number, Float64Array>();
  return {
    chances(logFactor) {
      const step = Math.round(logFactor / LOG_STEP);
      const known = kept.get(step);
      if (known !== undefined) return known;
      const chances = bucketChances(mixture, boundsMs, step * LOG_STEP);
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(step, chances);
      return chances;
    },
  };
}

function bucketChances(mixture: readonly LatencyPart[], boundsMs: readonly number[], logFactor: number): Float64Array {
  const chances = new Float64Array(boundsMs.length + 1);
  const add = (bucket: number, chance: number): void => {
    chances[bucket] = Number(chances[bucket]) + chance;
  };
  for (const { w, median_ms, sigma } of mixture) {
    const centre = Math.log(median_ms) + logFactor;
    let below = 0;
    for (const [bucket, bound] of boundsMs.entries()) {
      const belowBound = normalBelow((Math.log(bound) - centre) / sigma);
      add(bucket, w * (belowBound - below));
      below = belowBound;
    }
    add(boundsMs.length, w * (1 - below));
  }
  return chances;
}

/** Draws the buckets of so many requests. */
export function drawBuckets(random: Random, count: number, chances: Float64Array): number[] {
  const buckets = new Array<number>(chances.length).fill(0);
  const last = chances.length - 1;
  if (count <= FEW) {
    for (let index = 0; index < count; index += 1) {
      let left = random.uniform();
      let bucket = 0;
      for (; bucket < last && left > Number(chances[bucket]); bucket += 1) left -= Number(chances[bucket]);
      buckets[bucket] = Number(buckets[bucket]) + 1;
    }
    return buckets;
  }
  let left = count;
  let rest = 1;
  for (let bucket = 0; bucket < last && left > 0; bucket += 1) {
    const chance = Number(chances[bucket]);
    if (chance <= 0) continue;
    const drawn = random.binomial(left, Math.min(1, chance / rest));
    buckets[bucket] = drawn;
    left -= drawn;
    rest -= chance;
  }
  buckets[last] = Number(buckets[last]) + left;
  return buckets;
}

import { KEY_HASHES, SKETCH_CAPACITY, type StoredSketch } from "../../contract/failing-users.ts";

/**
 * A set of users that unites: those of the lowest hashes, all below `theta`, each with its failing requests. It is the theta
 * sketch of Dasgupta, Lang, Rhodes and Thaler (A Framework for Estimating Stream Expression Cardinalities, 2016): exact
 * while theta is 2³², and a uniform sample of the users below that.
 */
export interface KeySketch {
  /** 1…2³². */
  readonly theta: number;
  /** Hashes in ascending order. */
  readonly keys: Uint32Array;
  /** Failing requests of each. */
  readonly requests: Float64Array;
}

/** Nobody. */
export const EMPTY_SKETCH: KeySketch = { theta: KEY_HASHES, keys: new Uint32Array(), requests: new Float64Array() };

/**
 * The hash that a bucket is sampled by. Buckets decide who sees the canary, so the lowest ones are its users alone; murmur's
 * finaliser (`fmix32`) takes each to a place of its own that has nothing to do with that.
 */
export function keyHash(bucket: number): number {
  let mixed = bucket ^ (bucket >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** One half of all users, by a bit that neither the buckets nor the sample know. */
export const isInKeyHalf = (hash: number): boolean => (hash & 1) === 1;

/** The sketch of these counts by hash: those below `theta`, and of them at most the `capacity` lowest. */
export function sketchOf(counts: ReadonlyMap<number, number>, theta = KEY_HASHES, capacity = SKETCH_CAPACITY): KeySketch {
  const below = [...counts].filter(([key]) => key < theta).toSorted(([a], [b]) => a - b);
  const lowest = below.slice(0, capacity);
  return {
    theta: below[capacity]?.[0] ?? theta,
    keys: Uint32Array.from(lowest, ([key]) => key),
    requests: Float64Array.from(lowest, ([, requests]) => requests),
  };
}

/** Users of any of these, each once; failing requests of the same user add up, so give each process's counts once. */
export function unite(sketches: readonly KeySketch[], capacity = SKETCH_CAPACITY): KeySketch {
  let theta = sketches.reduce((lowest, sketch) => Math.min(lowest, sketch.theta), KEY_HASHES);
  let counts = new Map<number, number>();
  for (const { keys, requests } of sketches) {
    for (const [index, key] of keys.entries()) {
      if (key >= theta) break;
      counts.set(key, (counts.get(key) ?? 0) + requestsAt(requests, index));
    }
    if (counts.size <= 2 * capacity) continue;
    // A lower theta now spares the sketches that follow most of their work.
    const thinned = sketchOf(counts, theta, capacity);
    theta = thinned.theta;
    counts = countsOf(thinned);
  }
  return sketchOf(counts, theta, capacity);
}

/** Users of `sketch` that are not in `other`. */
export const without = (sketch: KeySketch, other: KeySketch): KeySketch => filtered(sketch, other, false);

/** Users of `sketch` that are in `other` too, with the failing requests that they have in `sketch`. */
export const within = (sketch: KeySketch, other: KeySketch): KeySketch => filtered(sketch, other, true);

function filtered(sketch: KeySketch, other: KeySketch, isWanted: boolean): KeySketch {
  const theta = Math.min(sketch.theta, other.theta);
  const found = new Set(other.keys);
  const kept = [...countsOf(sketch)].filter(([key]) => found.has(key) === isWanted);
  return sketchOf(new Map(kept), theta);
}

/** How many users: exact while `isExact`, else an estimate. */
export const distinct = ({ theta, keys }: KeySketch): number => keys.length * (KEY_HASHES / theta);

/** Failing requests of all users: exact while `isExact`; else an estimate, which a few users with many requests make rough. */
export const failingRequests = ({ theta, requests }: KeySketch): number =>
  requests.reduce((sum, each) => sum + each, 0) * (KEY_HASHES / theta);

/** True while every user is kept. */
export const isExact = ({ theta }: KeySketch): boolean => theta === KEY_HASHES;

/** Failing requests by hash. */
export const countsOf = ({ keys, requests }: KeySketch): Map<number, number> =>
  new Map(Array.from(keys, (key, index) => [key, requestsAt(requests, index)]));

/** The form for messages and the store. */
export const storedSketch = ({ theta, keys, requests }: KeySketch): StoredSketch => ({
  theta,
  steps: Array.from(keys, (key, index) => key - (keys[index - 1] ?? 0)),
  requests: [...requests],
});

/** The sketch of a stored form that its schema has checked. */
export function readSketch({ theta, steps, requests }: StoredSketch): KeySketch {
  let key = 0;
  const keys = Uint32Array.from(steps, (step) => (key += step));
  return { theta, keys, requests: Float64Array.from(requests) };
}

/** There are as many of them as keys. */
const requestsAt = (requests: Float64Array, index: number): number => Number(requests[index]);

import { SKETCH_CAPACITY } from "../contract/failing-users.ts";
import { countsOf, EMPTY_SKETCH, type KeySketch, sketchOf } from "../core/judge/key-sketch.ts";

/** What all counters of a sidecar may hold together, in users. */
export interface Room {
  readonly max: number;
  used: number;
}

/** Counts failing requests by user, bounded: beyond its capacity, or without room, it keeps a sample. */
export interface KeyCounter {
  /** Users held now. */
  readonly size: number;
  /** Adds failing requests of a user, and tells how many they are now: 0 for one that is not in the sample, undefined when there was no room for another one. */
  add(key: number, requests: number): number | undefined;
  sketch(): KeySketch;
  /** Gives its room back; it is used no more. */
  release(): void;
}

/** Thinning one that holds less would free nearly nothing, and coarsen it a lot. */
const LEAST_WORTH_THINNING = 32;

export function createKeyCounter(room: Room): KeyCounter {
  let theta = EMPTY_SKETCH.theta;
  let counts = new Map<number, number>();
  let made: KeySketch | undefined = EMPTY_SKETCH;
  const thin = (capacity: number): void => {
    const thinned = sketchOf(counts, theta, capacity);
    room.used -= counts.size - thinned.keys.length;
    theta = thinned.theta;
    counts = countsOf(thinned);
    made = undefined;
  };
  const makeRoom = (): boolean => {
    if (room.used < room.max) return true;
    if (counts.size < LEAST_WORTH_THINNING) return false;
    thin(Math.floor(counts.size / 2));
    return true;
  };
  return {
    get size() {
      return counts.size;
    },
    add(key, requests) {
      const before = counts.get(key);
      if (before === undefined && !makeRoom()) return undefined;
      // Asked again, because making room lowers theta.
      if (key >= theta) return 0;
      const now = (counts.get(key) ?? 0) + requests;
      counts.set(key, now);
      if (before === undefined) room.used += 1;
      made = undefined;
      // Some slack, so that not each new user costs a sort.
      if (counts.size > 2 * SKETCH_CAPACITY) thin(SKETCH_CAPACITY);
      return now;
    },
    sketch: () => (made ??= sketchOf(counts, theta)),
    release() {
      room.used -= counts.size;
      counts = new Map();
    },
  };
}

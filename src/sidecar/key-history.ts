import { type KeySketch, unite } from "../core/judge/key-sketch.ts";
import { createKeyCounter, type Room } from "./key-counter.ts";

/** Time at rest after which a generation gives way: a user is known for one to two of them. */
export const GENERATION_MS = 86_400_000;

/** A shorter time at rest counts as this one: the first failure of a user tells no pace. */
const LEAST_MS = 10_000;
const HOUR_MS = 3_600_000;

/** Users that failed before, in two generations, so that one who fails no more is forgotten. */
export interface KeyHistory {
  /** Users of both generations; one who is in both counts twice. */
  readonly size: number;
  /** Tells how many failing requests the user has now in the current generation: 0 for one that is not in the sample, undefined without room. */
  add(key: number, requests: number): number | undefined;
  /**
   * Lets time pass, and tells when the current generation is over, and when an attempt begins. Time counts only at rest: who was
   * known when an attempt began stays known until its end.
   */
  pass(isResting: boolean, atMs: number): "over" | "attempt begins" | undefined;
  /** Begins another generation, and lets go of the one before the current; of both when twice the time is over. */
  turn(atMs: number): void;
  /** With the failing requests of each in an hour at rest, at least 1: unlike a number of them they compare with any other time. */
  users(atMs: number): KeySketch;
  release(): void;
}

export function createKeyHistory(room: Room): KeyHistory {
  let current = createKeyCounter(room);
  let previous = createKeyCounter(room);
  let previousMs = 0;
  /** Time at rest of the current generation until `sinceMs`, which is undefined during an attempt. */
  let countedMs = 0;
  let sinceMs: number | undefined;
  const restedMs = (atMs: number): number => countedMs + (sinceMs === undefined ? 0 : Math.max(0, atMs - sinceMs));
  return {
    get size() {
      return current.size + previous.size;
    },
    add: (key, requests) => current.add(key, requests),
    pass(isResting, atMs) {
      if (isResting) {
        sinceMs ??= atMs;
        return restedMs(atMs) >= GENERATION_MS ? "over" : undefined;
      }
      if (sinceMs === undefined) return undefined;
      countedMs = restedMs(atMs);
      sinceMs = undefined;
      return "attempt begins";
    },
    turn(atMs) {
      const turns = restedMs(atMs) >= 2 * GENERATION_MS ? 2 : 1;
      for (let turn = 0; turn < turns; turn += 1) {
        previous.release();
        previous = current;
        current = createKeyCounter(room);
      }
      previousMs = GENERATION_MS;
      countedMs = 0;
      sinceMs = atMs;
    },
    users(atMs) {
      const { theta, keys, requests } = unite([current.sketch(), previous.sketch()]);
      const hours = Math.max(LEAST_MS, previousMs + restedMs(atMs)) / HOUR_MS;
      return { theta, keys, requests: requests.map((each) => Math.ceil(each / hours)) };
    },
    release() {
      current.release();
      previous.release();
    },
  };
}

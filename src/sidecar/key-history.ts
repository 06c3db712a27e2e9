import { type KeySketch, unite } from "../core/judge/key-sketch.ts";
import { createKeyCounter, type Room } from "./key-counter.ts";

/** Time at rest after which a generation gives way: a user is known for one to two of them. */
export const GENERATION_MS = 86_400_000;

/** Users that failed before, in two generations, so that one who fails no more is forgotten. */
export interface KeyHistory {
  /** Users of the current generation. */
  readonly size: number;
  /** False when there was no room. */
  add(key: number): boolean;
  /**
   * Lets time pass, and tells whether the current generation is over. Time counts only at rest: who was known when an attempt
   * began stays known until its end.
   */
  isOver(isResting: boolean, atMs: number): boolean;
  /** Begins another generation, and lets go of the one before the current; of both when twice the time is over. */
  turn(atMs: number): void;
  users(): KeySketch;
  release(): void;
}

export function createKeyHistory(room: Room): KeyHistory {
  let current = createKeyCounter(room);
  let previous = createKeyCounter(room);
  /** Time at rest of the current generation until `sinceMs`, which is undefined during an attempt. */
  let countedMs = 0;
  let sinceMs: number | undefined;
  const restedMs = (atMs: number): number => countedMs + (sinceMs === undefined ? 0 : Math.max(0, atMs - sinceMs));
  return {
    get size() {
      return current.size;
    },
    // Only who, not how often: a history that does not change is not sent again.
    add: (key) => current.add(key, 0),
    isOver(isResting, atMs) {
      if (isResting) {
        sinceMs ??= atMs;
        return restedMs(atMs) >= GENERATION_MS;
      }
      countedMs = restedMs(atMs);
      sinceMs = undefined;
      return false;
    },
    turn(atMs) {
      const turns = restedMs(atMs) >= 2 * GENERATION_MS ? 2 : 1;
      for (let turn = 0; turn < turns; turn += 1) {
        previous.release();
        previous = current;
        current = createKeyCounter(room);
      }
      countedMs = 0;
      sinceMs = atMs;
    },
    users: () => unite([current.sketch(), previous.sketch()]),
    release() {
      current.release();
      previous.release();
    },
  };
}

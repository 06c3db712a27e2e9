import { GROUP_CAPACITY } from "../contract/mix-evidence.ts";
import { limitOf, NOBODY_SAMPLED, thinned, type UserSample } from "../core/judge/user-sample.ts";
import type { Room } from "./key-counter.ts";

/** Keeps users with their marks, bounded: beyond its capacity, or without room, a sample of them. */
export interface UserCounter {
  /** What became of a user: `same` where nothing changed, and `no room` where nobody more can be kept. The mark is asked for only where the user is kept. */
  add(hash: number, mark: () => number): "changed" | "same" | "no room";
  sample(): UserSample;
  /** Gives its room back; it is used no more. */
  release(): void;
}

/** Thinning one that holds less would free nearly nothing, and coarsen it a lot. */
const LEAST_WORTH_THINNING = 32;

export function createUserCounter(room: Room): UserCounter {
  let { level } = NOBODY_SAMPLED;
  let users = new Map<number, number>();
  const thin = (capacity: number): void => {
    const sample = thinned({ level, users }, capacity);
    room.used -= users.size - sample.users.size;
    level = sample.level;
    users = new Map(sample.users);
  };
  const makeRoom = (): boolean => {
    if (room.used < room.max) return true;
    if (users.size < LEAST_WORTH_THINNING) return false;
    thin(users.size - 1);
    return true;
  };
  return {
    add(hash, mark) {
      if (hash >= limitOf(level)) return "same";
      const before = users.get(hash);
      if (before === undefined && !makeRoom()) return "no room";
      // Asked again, because making room raises the level.
      if (hash >= limitOf(level)) return "changed";
      const after = Number(before) | mark();
      if (after === before) return "same";
      users.set(hash, after);
      if (before === undefined) room.used += 1;
      if (users.size > GROUP_CAPACITY) thin(GROUP_CAPACITY);
      return "changed";
    },
    sample: () => ({ level, users }),
    release() {
      room.used -= users.size;
      users = new Map();
    },
  };
}

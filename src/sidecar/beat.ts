import type { Lease } from "../contract/rules.ts";
import type { Clock } from "../io/clock.ts";

/** How long nobody has been heard to watch. */
export interface Beat {
  /**
   * Takes a lease; only one that has changed proves that someone is alive. One that was pushed was renewed just now; one
   * that was read from the store may be long dead, or older than one heard before.
   */
  heard(lease: Lease, how?: "pushed" | "read"): void;
  /** The age that rules on disk had when this process began. */
  startAt(ageMs: number): void;
  /** Milliseconds since the last beat, by a clock that never goes back; undefined before the first word of any. */
  ageMs(): number | undefined;
}

/** Starts without any beat heard. */
export function createBeat(clock: Clock): Beat {
  let last: { term: number; beat: number } | undefined;
  let atMs: number | undefined;
  return {
    heard({ term, beat, renewedAtMs }, how = "read") {
      if (last !== undefined && last.term === term && last.beat === beat) return;
      const nowMs = clock.monotonicMs();
      const writtenMs = how === "pushed" ? nowMs : nowMs - Math.max(0, clock.nowMs() - renewedAtMs);
      // A replica that lags gives an old lease; what was heard since stays heard.
      atMs = Math.max(atMs ?? writtenMs, writtenMs);
      last = { term, beat };
    },
    startAt(ageMs) {
      atMs ??= clock.monotonicMs() - ageMs;
    },
    ageMs: () => (atMs === undefined ? undefined : Math.max(0, clock.monotonicMs() - atMs)),
  };
}

export type BeatState = "ok" | "stale" | "unwatched";

/** How a beat of this age is to be taken; without any word yet nothing is served that would need watching. */
export function beatState(ageMs: number | undefined, limits: { staleAfterMs: number; unwatchedAfterMs: number }): BeatState {
  if (ageMs === undefined || ageMs <= limits.staleAfterMs) return "ok";
  return ageMs <= limits.unwatchedAfterMs ? "stale" : "unwatched";
}

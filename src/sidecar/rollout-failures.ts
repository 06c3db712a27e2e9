import type { VariantName } from "../contract/rollout.ts";
import { countsOf, type KeySketch, keyHash } from "../core/judge/key-sketch.ts";
import { createKeyCounter, type KeyCounter, type Room } from "./key-counter.ts";
import { createKeyHistory } from "./key-history.ts";

/** How a rollout stands in the rule set: absent, under way, or at rest in a run. */
export type RuleStanding = "absent" | "under way" | { readonly restingRun: number };

/** A failed request of a user. */
export interface UserFailure {
  readonly rollout: string;
  readonly run: number;
  readonly variant: VariantName;
  /** Bucket of the user, 32 bits. */
  readonly bucket: number;
}

/** Users that were counted together. */
export interface CountedUsers {
  /** Names it among all of the sidecar. */
  readonly id: string;
  readonly rollout: string;
  /** Undefined for the history: users that failed on stable while the rollout rested, or under runs kept no more. */
  readonly of: { readonly run: number; readonly variant: VariantName } | undefined;
  /** Another one after each change. */
  readonly version: number;
  /** About as many users; known without counting. */
  readonly size: number;
  /** With their failing requests; those of the history in an hour at rest. */
  users(): KeySketch;
}

/** The failing users of one rollout. */
export interface RolloutFailures {
  count(failure: UserFailure, standing: RuleStanding, atMs: number): void;
  /** Lets time pass: it makes runs of an attempt that is long over history, and history be forgotten. */
  follow(standing: RuleStanding, atMs: number): void;
  all(atMs: number): CountedUsers[];
  /** Gives its room back; it is used no more. */
  release(): void;
}

/** What the rollouts of a sidecar share. */
export interface Shared {
  readonly room: Room;
  /** A number that no part had before. */
  nextVersion(): number;
  /** Hears of each user for whom there is no room. */
  onOverflow(): void;
}

/** Runs that are counted apart; an attempt of more is rare, and the oldest then become history. */
const RUNS_KEPT = 16;

interface CountedRun {
  readonly run: number;
  readonly variant: VariantName;
  readonly users: KeyCounter;
  version: number;
}

type Runs = Map<string, CountedRun>;

export function createRolloutFailures(rollout: string, { room, nextVersion, onOverflow }: Shared): RolloutFailures {
  const runs: Runs = new Map();
  const history = createKeyHistory(room);
  /** 0 before anybody was in it. */
  let historyVersion = 0;
  const remember = (counts: Iterable<readonly [key: number, requests: number]>): void => {
    let isNews = false;
    for (const [key, requests] of counts) {
      const now = history.add(key, requests);
      if (now === undefined) onOverflow();
      else isNews ||= isOtherPower(now, requests);
    }
    if (isNews) historyVersion = nextVersion();
  };
  const becomeHistory = (ended: readonly CountedRun[]): void => {
    for (const { variant, users } of ended) {
      // Not the canary's: a bad one would make its victims known, and the next attempt's canary has the same users.
      if (variant === "stable") remember(countsOf(users.sketch()));
      users.release();
    }
  };
  const follow = (standing: RuleStanding, atMs: number): void => {
    const passed = history.pass(standing !== "under way", atMs);
    if (passed === undefined) return;
    if (passed === "over") {
      becomeHistory(takeRuns(runs, 0));
      history.turn(atMs);
    } else if (history.size === 0) return;
    // At the begin of an attempt too: it is from now on that paces must be right.
    historyVersion = nextVersion();
  };
  return {
    follow,
    count({ run, variant, bucket }, standing, atMs) {
      follow(standing, atMs);
      const key = keyHash(bucket);
      if (variant === "stable" && typeof standing === "object" && standing.restingRun === run) return remember([[key, 1]]);
      const id = `${run} ${variant}`;
      const known = runs.get(id);
      const counted = known ?? { run, variant, users: createKeyCounter(room), version: 0 };
      if (counted.users.add(key, 1) === undefined) onOverflow();
      counted.version = nextVersion();
      if (known !== undefined) return;
      runs.set(id, counted);
      becomeHistory(takeRuns(runs, RUNS_KEPT));
    },
    all(atMs) {
      const byRun = [...runs].map(([id, { run, variant, users, version }]) => {
        return { id: `${rollout} ${id}`, rollout, of: { run, variant }, version, size: users.size, users: users.sketch };
      });
      if (historyVersion === 0) return byRun;
      const { size } = history;
      const users = (): KeySketch => history.users(atMs);
      return [...byRun, { id: `${rollout} history`, rollout, of: undefined, version: historyVersion, size, users }];
    },
    release() {
      for (const { users } of runs.values()) users.release();
      history.release();
    },
  };
}

/** A user's pace is told anew when it doubled, so that one who fails all the time is not told of all the time. */
const isOtherPower = (now: number, added: number): boolean => now > 0 && Math.clz32(now) !== Math.clz32(now - added);

/** Takes all but the last so many runs out. */
function takeRuns(runs: Runs, kept: number): CountedRun[] {
  const newest = [...new Set([...runs.values()].map(({ run }) => run))].toSorted((a, b) => b - a).slice(0, kept);
  const old = [...runs].filter(([, { run }]) => !newest.includes(run));
  for (const [id] of old) runs.delete(id);
  return old.map(([, counted]) => counted);
}

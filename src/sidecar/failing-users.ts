import type { VariantName } from "../contract/rollout.ts";
import { type KeySketch, keyHash, unite } from "../core/judge/key-sketch.ts";
import { createKeyCounter, type KeyCounter, type Room } from "./key-counter.ts";

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
  users(): KeySketch;
}

/** Which users fail, by rollout, run and variant, and which failed before; bounded in all. */
export interface FailingUsers {
  /** Begin of these counts, Unix milliseconds. */
  readonly startedAtMs: number;
  /** Counts a failure; one of a resting rollout goes to its history. */
  failed(failure: UserFailure): void;
  all(): CountedUsers[];
  /** To be called when the rules changed, and now and then: time passes, and what is long gone goes. */
  follow(): void;
}

/** How a rollout stands in the rule set: absent, under way, or at rest in a run. */
export type RuleStanding = "absent" | "under way" | { readonly restingRun: number };

/** Time at rest after which a generation of the history gives way: a user is known for one to two of them. */
const GENERATION_MS = 86_400_000;

/** Runs of a rollout that are counted apart; an attempt of more is rare, and the oldest then become history. */
const RUNS_KEPT = 16;

/** About 50 bytes each. */
const MAX_USERS = 200_000;

interface Generations {
  current: KeyCounter;
  previous: KeyCounter;
  /** Time at rest of the current generation until `sinceMs`, which is undefined while the rollout is under way. */
  restedMs: number;
  sinceMs: number | undefined;
}

interface CountedRun {
  readonly run: number;
  readonly variant: VariantName;
  readonly users: KeyCounter;
  version: number;
}

interface Held {
  readonly runs: Map<string, CountedRun>;
  readonly history: Generations;
  historyVersion: number;
  goneAtMs: number | undefined;
}

interface Options {
  nowMs(): number;
  standingOf(rollout: string): RuleStanding;
  /** Hears of each failure for which there is no room. */
  onOverflow(): void;
  readonly maxUsers?: number;
}

export function createFailingUsers({ nowMs, standingOf, onOverflow, maxUsers = MAX_USERS }: Options): FailingUsers {
  const room: Room = { max: maxUsers, used: 0 };
  const rollouts = new Map<string, Held>();
  let versions = 0;
  const nextVersion = (): number => (versions += 1);
  const heldOf = (rollout: string): Held => {
    let held = rollouts.get(rollout);
    if (held === undefined) rollouts.set(rollout, (held = emptyHeld(room)));
    return held;
  };
  const add = (counter: KeyCounter, key: number, requests: number): void => {
    if (!counter.add(key, requests)) onOverflow();
  };
  const remember = (held: Held, keys: Iterable<number>): void => {
    const before = held.history.current.size;
    // Only who, not how often: a history that does not change is not sent again.
    for (const key of keys) add(held.history.current, key, 0);
    if (held.history.current.size !== before) held.historyVersion = nextVersion();
  };

  const becomeHistory = (held: Held, runs: readonly CountedRun[]): void => {
    for (const { variant, users } of runs) {
      // Not the canary's: a bad one would make its victims known, and the next attempt's canary has the same users.
      if (variant === "stable") remember(held, users.sketch().keys);
      users.release();
    }
  };
  const passTime = (held: Held, standing: RuleStanding): void => {
    const atMs = nowMs();
    setResting(held.history, standing !== "under way", atMs);
    if (restedMs(held.history, atMs) < GENERATION_MS) return;
    becomeHistory(held, takeRuns(held, 0));
    turnGenerations(held.history, atMs, room);
    held.historyVersion = nextVersion();
  };

  return {
    startedAtMs: Math.round(nowMs()),
    failed({ rollout, run, variant, bucket }) {
      const held = heldOf(rollout);
      const key = keyHash(bucket);
      const standing = standingOf(rollout);
      passTime(held, standing);
      if (variant === "stable" && typeof standing === "object" && standing.restingRun === run) return remember(held, [key]);
      const id = `${run} ${variant}`;
      const known = held.runs.get(id);
      const counted = known ?? { run, variant, users: createKeyCounter(room), version: 0 };
      add(counted.users, key, 1);
      counted.version = nextVersion();
      if (known !== undefined) return;
      held.runs.set(id, counted);
      becomeHistory(held, takeRuns(held, RUNS_KEPT));
    },
    all: () => [...rollouts].flatMap(([rollout, held]) => countedUsers(rollout, held)),
    follow() {
      for (const [rollout, held] of rollouts) {
        const standing = standingOf(rollout);
        passTime(held, standing);
        held.goneAtMs = standing === "absent" ? (held.goneAtMs ?? nowMs()) : undefined;
        if (held.goneAtMs === undefined || nowMs() - held.goneAtMs < GENERATION_MS) continue;
        releaseAll(held);
        rollouts.delete(rollout);
      }
    },
  };
}

const emptyHeld = (room: Room): Held => ({
  runs: new Map(),
  history: { current: createKeyCounter(room), previous: createKeyCounter(room), restedMs: 0, sinceMs: undefined },
  historyVersion: 0,
  goneAtMs: undefined,
});

function releaseAll({ runs, history }: Held): void {
  for (const { users } of runs.values()) users.release();
  history.current.release();
  history.previous.release();
}

/** Takes all but the last so many runs out. */
function takeRuns({ runs }: Held, kept: number): CountedRun[] {
  const newest = [...new Set([...runs.values()].map(({ run }) => run))].toSorted((a, b) => b - a).slice(0, kept);
  const old = [...runs].filter(([, { run }]) => !newest.includes(run));
  for (const [id] of old) runs.delete(id);
  return old.map(([, counted]) => counted);
}

/** Time passes for a history at rest alone: who was known when an attempt began stays known until its end. */
function setResting(history: Generations, isResting: boolean, atMs: number): void {
  if (isResting) history.sinceMs ??= atMs;
  else if (history.sinceMs !== undefined) {
    history.restedMs += Math.max(0, atMs - history.sinceMs);
    history.sinceMs = undefined;
  }
}

/** Time at rest since the generation began; 0 while the rollout is under way. */
const restedMs = (history: Generations, atMs: number): number =>
  history.sinceMs === undefined ? 0 : history.restedMs + Math.max(0, atMs - history.sinceMs);

/** Lets the previous generation go, and the current one too when twice its time is over. */
function turnGenerations(history: Generations, atMs: number, room: Room): void {
  const turns = restedMs(history, atMs) >= 2 * GENERATION_MS ? 2 : 1;
  for (let turn = 0; turn < turns; turn += 1) {
    history.previous.release();
    history.previous = history.current;
    history.current = createKeyCounter(room);
  }
  history.restedMs = 0;
  history.sinceMs = atMs;
}

function countedUsers(rollout: string, { runs, history, historyVersion }: Held): CountedUsers[] {
  const byRun = [...runs].map(([id, { run, variant, users, version }]) => ({
    id: `${rollout} ${id}`,
    rollout,
    of: { run, variant },
    version,
    users: users.sketch,
  }));
  if (historyVersion === 0) return byRun;
  const users = (): KeySketch => unite([history.current.sketch(), history.previous.sketch()]);
  return [...byRun, { id: `${rollout} history`, rollout, of: undefined, version: historyVersion, users }];
}

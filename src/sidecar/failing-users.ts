import type { Room } from "./key-counter.ts";
import { GENERATION_MS } from "./key-history.ts";
import { type CountedUsers, createRolloutFailures, type RolloutFailures, type RuleStanding, type UserFailure } from "./rollout-failures.ts";

/** Which users fail, by rollout, run and variant, and which failed before; bounded in all. */
export interface FailingUsers {
  /** Begin of these counts, Unix milliseconds. */
  readonly startedAtMs: number;
  /** Counts a failure; one of a resting rollout goes to its history. */
  failed(failure: UserFailure): void;
  /** To be walked now and then: time passes for each rollout on the way, and what is long gone goes. Others may be counted meanwhile. */
  all(): Iterable<CountedUsers>;
  /** The same of one rollout. */
  of(rollout: string): readonly CountedUsers[];
}

/** Users over all rollouts, at about 50 bytes each. */
const MAX_USERS = 200_000;

interface Options {
  nowMs(): number;
  standingOf(rollout: string): RuleStanding;
  /** Hears of each failure for which there is no room. */
  onOverflow(): void;
  readonly maxUsers?: number;
}

export function createFailingUsers({ nowMs, standingOf, onOverflow, maxUsers = MAX_USERS }: Options): FailingUsers {
  const room: Room = { max: maxUsers, used: 0 };
  let versions = 0;
  const shared = { room, onOverflow, nextVersion: () => (versions += 1) };
  const rollouts = new Map<string, RolloutFailures>();
  const goneAtMs = new Map<string, number>();
  return {
    startedAtMs: Math.round(nowMs()),
    failed(failure) {
      const { rollout } = failure;
      let failures = rollouts.get(rollout);
      if (failures === undefined) rollouts.set(rollout, (failures = createRolloutFailures(rollout, shared)));
      failures.count(failure, standingOf(rollout), nowMs());
    },
    of(rollout) {
      const failures = rollouts.get(rollout);
      const atMs = nowMs();
      failures?.follow(standingOf(rollout), atMs);
      return failures?.all(atMs) ?? [];
    },
    *all() {
      for (const [rollout, failures] of rollouts) {
        const atMs = nowMs();
        const standing = standingOf(rollout);
        failures.follow(standing, atMs);
        if (standing !== "absent") goneAtMs.delete(rollout);
        else if (!goneAtMs.has(rollout)) goneAtMs.set(rollout, atMs);
        if (atMs - (goneAtMs.get(rollout) ?? atMs) < GENERATION_MS) {
          yield* failures.all(atMs);
          continue;
        }
        failures.release();
        rollouts.delete(rollout);
        goneAtMs.delete(rollout);
      }
    },
  };
}

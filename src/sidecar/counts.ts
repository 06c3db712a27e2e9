import type { Clock } from "../io/clock.ts";
import { type Cells, createCells } from "./cells.ts";
import type { CurrentRules } from "./current-rules.ts";
import { createFailingUsers, type FailingUsers } from "./failing-users.ts";
import { createMixUsers, type MixUsers } from "./mix-users.ts";
import { createRests, type Rests } from "./rests.ts";
import type { RuleStanding } from "./rollout-failures.ts";

/** What a sidecar counts by rollout, bounded each. */
export interface Counts {
  readonly cells: Cells;
  readonly failing: FailingUsers;
  readonly mix: MixUsers;
  /** Which rollouts are over, so that their cells go. */
  readonly rests: Rests;
}

/** Begins with nothing counted; hears of what there is no room for. */
export function createCounts(rules: CurrentRules, { nowMs }: Clock, noRoom: (kind: string) => void): Counts {
  const runInForce = (rollout: string): number | undefined => rules.compiled().rollouts.get(rollout)?.live.run;
  const rests = createRests(rules, nowMs);
  return {
    rests,
    cells: createCells({ nowMs, runInForce, isOver: rests.isOver, onOverflow: () => noRoom("no room for more series") }),
    failing: createFailingUsers({
      nowMs,
      standingOf: (rollout) => standingIn(rules, rollout),
      onOverflow: () => noRoom("no room for more failing users"),
    }),
    mix: createMixUsers({ onOverflow: () => noRoom("no room for more users of a mix") }),
  };
}

/** Off in its run means at rest: rolled back, or handed over. */
function standingIn(rules: CurrentRules, rollout: string): RuleStanding {
  const live = rules.compiled().rollouts.get(rollout)?.live;
  if (live === undefined) return "absent";
  return live.off ? { restingRun: live.run } : "under way";
}

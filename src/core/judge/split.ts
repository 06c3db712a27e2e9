import { restartAim, shoot, startAim } from "./aim.ts";
import type { Moment } from "./measures.ts";
import type { JudgeState } from "./state.ts";

type SplitState = JudgeState["split"];

/**
 * Users are not alike: that the canary's are less busy than others may take a third of its requests away, and each user brings many of them.
 * What goes beyond that is no chance. That it gets more than its share is no finding: a few clients that ask without a pause bring that.
 */
const TOLERATED_ODDS = 1 / 1.5;
const REQUESTS_A_USER = 20;
const TIMES = [1 / 1.4, 1 / 2, 1 / 4, 1 / 12] as const;
const FULL_BP = 10_000;

/** Nothing decided yet. */
export const startSplit = (nowMs: number): SplitState => ({ fewer: startAim(nowMs), canary: 0, all: 0, expected: 0 });

/** Bets that the canary gets fewer of the decisions than its share. */
export function splitAfter(before: SplitState, { batch: { split }, nowMs, due, policy: { alpha } }: Moment): SplitState {
  const fewer = restartAim(before.fewer, due);
  if (split === undefined || split.all === 0 || split.shareBp === 0 || split.shareBp === FULL_BP) return { ...before, fewer };
  const odds = (TOLERATED_ODDS * split.shareBp) / (FULL_BP - split.shareBp);
  const aim = { question: "fewer", edge: odds / (1 + odds), odds: TIMES };
  return {
    fewer: shoot(fewer, aim, { hits: split.canary, all: split.all, nowMs, alpha, dispersion: REQUESTS_A_USER }),
    canary: before.canary + split.canary,
    all: before.all + split.all,
    expected: before.expected + (split.all * split.shareBp) / FULL_BP,
  };
}

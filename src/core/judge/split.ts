import { restartAim, shoot, startAim } from "./aim.ts";
import type { Moment } from "./measures.ts";
import type { JudgeState } from "./state.ts";

type SplitState = JudgeState["split"];

/**
 * Users are not alike: a few busy ones may bring a canary half as much again of its share, or take as much away, and each brings many
 * requests. What goes beyond that is no chance.
 */
const TOLERATED_ODDS = 1.5;
const REQUESTS_A_USER = 20;
const TIMES = [1.4, 2, 4, 12] as const;
const FULL_BP = 10_000;

/** Nothing decided yet. */
export const startSplit = (nowMs: number): SplitState => ({
  fewer: startAim(nowMs),
  more: startAim(nowMs),
  canary: 0,
  all: 0,
  expected: 0,
});

/** Bets that the canary gets fewer, or more, of the decisions than its share. */
export function splitAfter(before: SplitState, { batch: { split }, nowMs, due, policy: { alpha } }: Moment): SplitState {
  const restarted = { ...before, fewer: restartAim(before.fewer, due), more: restartAim(before.more, due) };
  if (split === undefined || split.all === 0 || split.shareBp === 0 || split.shareBp === FULL_BP) return restarted;
  const odds = split.shareBp / (FULL_BP - split.shareBp);
  const edgeAt = (times: number): number => (odds * times) / (1 + odds * times);
  const shot = { hits: split.canary, all: split.all, nowMs, alpha, dispersion: REQUESTS_A_USER };
  return {
    fewer: shoot(restarted.fewer, { question: "fewer", edge: edgeAt(1 / TOLERATED_ODDS), odds: TIMES.map((times) => 1 / times) }, shot),
    more: shoot(restarted.more, { question: "more", edge: edgeAt(TOLERATED_ODDS), odds: TIMES }, shot),
    canary: before.canary + split.canary,
    all: before.all + split.all,
    expected: before.expected + (split.all * split.shareBp) / FULL_BP,
  };
}

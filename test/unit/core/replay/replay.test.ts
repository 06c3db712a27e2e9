import { describe, expect, test } from "vitest";
import { LATENCY_BOUNDS_MS } from "../../../../src/contract/names.ts";
import { startOf } from "../../../../src/core/judge/ticks.ts";
import { actionOf, type Replay, type ReplayAction, startReplay, stepReplay, withEvent } from "../../../../src/core/replay/replay.ts";
import { rollout } from "../../../support/plan-inputs.ts";
import { tickOf } from "../../../support/tick-inputs.ts";

const TICK_S = 5;
const history = [{ t: -1, sec: -TICK_S, weight: 0, stable: tickOf(0, {}).stable }];
const begun = (): Replay => startReplay(rollout, startOf({ tickS: TICK_S, bounds: [...LATENCY_BOUNDS_MS], history }));

interface Played {
  readonly replay: Replay;
  readonly actions: readonly ReplayAction[];
  readonly shares: readonly number[];
}

/** Serves each tick what the plan set before it; the canary fails as told. */
function play(ticks: number, canaryFails: number): Played {
  let replay = begun();
  const [actions, shares]: [ReplayAction[], number[]] = [[], []];
  for (let t = 0; t < ticks; t += 1) {
    const step = stepReplay(replay, tickOf(t, { weight: replay.shareBp / 10_000, canaryFails }));
    replay = step.replay;
    actions.push(step.action);
    shares.push(replay.shareBp);
  }
  return { replay, actions, shares };
}

describe("a replayed rollout", () => {
  test("begins in its first stage, confirmed, with the history judged", () => {
    const { plan, shareBp, record, state } = begun();
    expect([plan, shareBp, record, state.stable.requests]).toEqual([
      { phase: "stage", run: 2, firstRun: 1, sinceMs: 5_000, stage: 0, begunAtMs: 5_000 },
      500,
      null,
      1_000,
    ]);
  });

  test("goes through its stages to the end where the canary is good, each action said once", () => {
    const { actions, shares, replay } = play(200, 0);
    expect(actions.filter((action) => action !== "hold")).toEqual(["weight", "weight", "promote"]);
    expect([...new Set(shares)]).toEqual([500, 2_500, 5_000, 10_000]);
    expect([replay.plan.phase, replay.record?.verdict]).toEqual(["promoted", "advance"]);
  });

  test("goes back once where the canary is bad, and judges no more", () => {
    const { actions, replay } = play(20, 0.5);
    const at = actions.indexOf("rollback");
    expect(actions.filter((action) => action !== "hold")).toEqual(["rollback"]);
    expect([replay.plan.phase, replay.shareBp, replay.record?.verdict]).toEqual(["rolledBack", 0, "rollback"]);
    expect(replay.record?.atMs).toBe((at + 2) * TICK_S * 1_000);
  });

  test("says the same twice", () => {
    expect(play(12, 0.1)).toEqual(play(12, 0.1));
  });

  test("is not moved by an event that its plan refuses", () => {
    const replay = begun();
    expect(withEvent(replay, { type: "resume", who: { name: "ann", claimed: true } }, 10_000)).toBe(replay);
  });
});

test.each([
  { title: "nothing moved", before: ["stage", 100], after: ["stage", 100], action: "hold" },
  { title: "another share", before: ["stage", 100], after: ["stage", 500], action: "weight" },
  { title: "100 % that not all have confirmed", before: ["stage", 5_000], after: ["promoting", 10_000], action: "weight" },
  { title: "the end of the promotion", before: ["promoting", 10_000], after: ["promoted", 10_000], action: "promote" },
  { title: "after the promotion", before: ["promoted", 10_000], after: ["promoted", 10_000], action: "hold" },
  { title: "the way back", before: ["promoted", 10_000], after: ["rollingBack", 0], action: "rollback" },
  { title: "the end of the way back", before: ["rollingBack", 0], after: ["rolledBack", 0], action: "hold" },
] as const)("$title is the action $action", ({ before, after, action }) => {
  const standing = ([phase, shareBp]: readonly [string, number]) => ({ phase, shareBp });
  expect(actionOf(standing(before), standing(after))).toBe(action);
});

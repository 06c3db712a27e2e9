import { describe, expect, test } from "vitest";
import type { Rollout } from "../../../../src/contract/rollout.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import { events, rampRollout, rampStates, SINCE_MS, summary } from "../../../support/plan-inputs.ts";

const MINUTE = 60_000;
const doubtful = { ...events.hold, odds: 6 };

describe("in doubt, where stable can take a fifth of the users at once", () => {
  const careful: Rollout = { ...rampRollout, retreat: { step: 2_000, every: 20_000 } };
  const fallen = { ...rampStates.ramp, shareBp: 7_500, begunAtMs: SINCE_MS + 1_000 };
  test.each([
    { state: rampStates.holdback, afterMs: 0, expected: "ramp, run 8; serve 7500 as run 8; ramp" },
    { state: fallen, afterMs: 20_999, expected: "ramp, run 7" },
    { state: fallen, afterMs: 21_000, expected: "ramp, run 8; serve 5500 as run 8; ramp" },
    { state: { ...fallen, begunAtMs: null }, afterMs: 19_999, expected: "ramp, run 7" },
    { state: { ...fallen, begunAtMs: null }, afterMs: 20_000, expected: "ramp, run 8; serve 5500 as run 8; ramp" },
    { state: { ...fallen, shareBp: 2_500 }, afterMs: 21_000, expected: "ramp, run 8; serve 1000 as run 8; ramp" },
  ])("the $state.phase goes on by $expected after $afterMs ms", ({ state, afterMs, expected }) => {
    expect(summary(plan(careful, state, doubtful, { nowMs: SINCE_MS + afterMs }))).toBe(expected);
  });

  test("what fell no further than that stays there when the doubt is over, until it is proven", () => {
    const nowMs = SINCE_MS + 2 * MINUTE;
    expect(summary(plan(careful, fallen, { ...events.advance, safeShareBp: 9_000 }, { nowMs }))).toBe("ramp, run 7");
  });
});

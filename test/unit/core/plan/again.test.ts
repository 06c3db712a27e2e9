import { fc, test as propertyTest } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import type { Rollout } from "../../../../src/contract/rollout.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import type { PlanInput } from "../../../../src/core/plan/types.ts";
import { events, rampRollout, rampStates, who } from "../../../support/plan-inputs.ts";

const withAgain = (again: number): Rollout => ({
  ...rampRollout,
  strategy: { type: "canary", ramp: { preset: "standard", holdback: { share: 500, again } } },
});
const doubt: PlanInput = { ...events.hold, odds: 6 };
const MINUTE = 60_000;

/** What a canary in turn proven and doubted comes to in so many events, a minute each. */
function toAndFro(rollout: Rollout, turns: number, begin: PlanState = rampStates.holdback) {
  let state = begin;
  let entered = 0;
  const reasons: string[] = [];
  for (let turn = 1; turn <= turns; turn += 1) {
    const confirmed = plan(rollout, state, events.confirmed, { nowMs: rampStates.holdback.sinceMs + turn * MINUTE });
    const before = confirmed.ok ? confirmed.state : state;
    const event = before.phase === "holdback" ? doubt : { ...events.advance, runSample: 100_000 };
    const step = plan(rollout, before, event, { nowMs: rampStates.holdback.sinceMs + (turn + 0.5) * MINUTE });
    if (!step.ok) throw new Error(step.refusal);
    if (before.phase === "ramp" && step.state.phase === "holdback") entered += 1;
    if (step.state.phase === "paused") reasons.push(...step.effects.flatMap((effect) => (effect.type === "audit" ? [effect.reason] : [])));
    state = step.state;
  }
  return { state, entered, reasons };
}

describe("a holdback that ends in doubt again and again", () => {
  test("begins anew as often as the plan says, and then the ramp pauses at its share for a person", () => {
    const { state, entered, reasons } = toAndFro(withAgain(3), 200);
    expect(entered).toBe(3);
    expect(state).toMatchObject({ phase: "paused", stage: 0, shareBp: 5_000 });
    expect(reasons).toEqual([
      "proven safe again, after doubt led back from the holdback 4 times, and its plan lets it begin again 3 times",
    ]);
  });

  test("counts anew when a person lets it go on", () => {
    const { state } = toAndFro(withAgain(0), 200);
    const resumed = plan(withAgain(0), state, { type: "resume", who }, { nowMs: rampStates.holdback.sinceMs + 201 * MINUTE });
    expect(resumed).toMatchObject({ ok: true, state: { phase: "ramp" } });
    expect(resumed).not.toHaveProperty("state.returns");
  });
});

const told = fc.constantFrom<PlanInput>(
  doubt,
  { ...events.advance, runSample: 100_000 },
  { ...events.advance, runSample: 100_000 },
  events.confirmed,
  events.tick,
  events.hold,
);

propertyTest.prop([fc.nat({ max: 4 }), fc.array(told, { minLength: 100, maxLength: 300 })])(
  "whatever evidence says, and in whatever order, nearly everyone gets the canary so often at most",
  (again, story) => {
    const rollout = withAgain(again);
    let state: PlanState = rampStates.holdback;
    let entered = 0;
    for (const [index, event] of story.entries()) {
      const step = plan(rollout, state, event, { nowMs: rampStates.holdback.sinceMs + index * 15_000 });
      if (!step.ok) throw new Error(step.refusal);
      if (state.phase === "ramp" && step.state.phase === "holdback") entered += 1;
      state = step.state;
    }
    expect(entered).toBeLessThanOrEqual(again);
  },
);

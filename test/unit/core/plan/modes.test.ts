import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import type { Rollout } from "../../../../src/contract/rollout.ts";
import { type Moment, plan } from "../../../../src/core/plan/plan.ts";
import type { PlanInput, PlanStep } from "../../../../src/core/plan/types.ts";
import { events, rampRollout, rampStates, rollout, SINCE_MS, states, summary, who } from "../../../support/plan-inputs.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ASKED_MS = SINCE_MS + 70_000;

const at = (known: Rollout, state: PlanState, event: PlanInput, moment: Partial<Moment> = {}): PlanStep =>
  plan(known, state, event, { nowMs: ASKED_MS, ...moment });

function stateAfter(step: PlanStep): PlanState {
  if (!step.ok) throw new Error(step.refusal);
  return step.state;
}

describe("a rollout that only advises", () => {
  const advising: Rollout = { ...rollout, mode: "advise" };

  test.each([
    ["before its first users", advising, states.pending, events.confirmed],
    ["before a stage", advising, states.stage, events.advance],
    ["before a ramp's next share", { ...rampRollout, mode: "advise" }, rampStates.ramp, events.advance],
  ] as const)("asks anybody %s, for as long as a pause may last", (_, known: Rollout, state: PlanState, event: PlanInput) => {
    const asks = { limitMs: 7 * DAY, atLimit: "abort" };
    expect(at(known, state, event)).toMatchObject({ state: { phase: "gate", gate: "mode", asks, from: state } });
  });

  test("keeps the clock of a ramp, and begins that of its share when it is passed", () => {
    const known: Rollout = { ...rampRollout, mode: "advise" };
    const asked = stateAfter(at(known, rampStates.ramp, events.advance));
    const passed = stateAfter(at(known, asked, events.promote, { nowMs: ASKED_MS + HOUR }));
    expect(passed).toMatchObject({ phase: "ramp", sinceMs: SINCE_MS, changedAtMs: ASKED_MS + HOUR });
  });

  test("goes back without being asked, and lets the share of a ramp fall", () => {
    expect(summary(at(advising, states.stage, events.rollback))).toMatch(/^rollingBack/);
    const known: Rollout = { ...rampRollout, mode: "advise" };
    const asked = stateAfter(at(known, rampStates.ramp, events.advance));
    expect(summary(at(known, asked, { ...events.hold, odds: 6 }))).toBe("ramp, run 8; serve 1000 as run 8; ramp");
  });

  test("goes back from a first gate at its limit, where nothing could be paused", () => {
    const known = advising;
    const asked = stateAfter(at(known, states.pending, events.confirmed));
    const pausing = { ...asked, asks: { limitMs: HOUR, atLimit: "pause" } } as PlanState;
    expect(summary(at(known, pausing, events.tick, { nowMs: ASKED_MS + HOUR }))).toMatch(/^rollingBack/);
  });
});

describe("a rollout that is only observed", () => {
  const observed: Rollout = { ...rollout, mode: "observe" };

  test("asks for each step on", () => {
    expect(at(observed, states.pending, events.confirmed)).toMatchObject({ state: { phase: "gate", gate: "mode" } });
  });

  test("stays where evidence would take it back, and says so once", () => {
    const step = at(observed, states.stage, events.rollback);
    const would = { action: "rollback", reason: "errors", atMs: ASKED_MS };
    expect(step).toEqual({
      ok: true,
      state: { ...states.stage, would },
      effects: [{ type: "audit", action: "would", reason: "rollback: errors" }],
    });
    const state = stateAfter(step);
    expect(stateAfter(at(observed, state, events.rollback))).toBe(state);
    const atGate = stateAfter(at(observed, states.stage, events.advance));
    expect(at(observed, atGate, events.rollback)).toMatchObject({ state: { phase: "gate", would } });
  });

  test("goes back when nothing came of the canary only in words", () => {
    const known: Rollout = { ...observed, checks: { ...observed.checks, onNoData: "rollback" } };
    expect(at(known, states.stage, events.tick, { nowMs: SINCE_MS + HOUR })).toMatchObject({
      state: { phase: "stage", would: { action: "rollback" } },
    });
  });

  test("meets its deadlines though nothing came of the canary, which is said once", () => {
    const known: Rollout = { ...observed, checks: { ...observed.checks, onNoData: "rollback" } };
    const said = stateAfter(at(known, states.stage, events.tick, { nowMs: SINCE_MS + HOUR }));
    expect(at(known, said, events.tick, { nowMs: SINCE_MS + 31 * DAY })).toMatchObject({ state: { phase: "paused" } });
  });

  test.each([
    ["people", states.stage, { ...events.abort, who }, "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["receipts that change no share", states.unbegun, events.confirmed, "stage 1, run 7; begun"],
    ["deadlines", states.paused, events.tick, "rollingBack, run 8; serve 0 off as run 8; rollback"],
  ] as const)("is moved by %s all the same", (_, state: PlanState, event: PlanInput, expected) => {
    expect(summary(at(observed, state, event, { nowMs: SINCE_MS + 8 * DAY }))).toBe(expected);
  });
});

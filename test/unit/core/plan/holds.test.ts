import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import type { Hold, PlanEvent } from "../../../../src/core/plan/types.ts";
import { events, rampStates, rampStepOf, SINCE_MS, states, stepOf, summary } from "../../../support/plan-inputs.ts";

const DAY = 86_400_000;
const freeze: Hold = { kind: "freeze", reason: "quarter end" };
const window: Hold = { kind: "window", reason: "opens on Monday at 09:00" };

describe("while something holds a rollout", () => {
  test.each([
    ["its first users wait", states.pending, events.confirmed, "pending, run 7"],
    ["the next stage waits", states.stage, events.advance, "stage 1, run 7"],
    ["promotion waits", states.lastStage, events.advance, "stage 2, run 7"],
    ["a share that every sidecar obeys is said to have begun", states.unbegun, events.confirmed, "stage 1, run 7; begun"],
    ["a rollback verdict goes back", states.stage, events.rollback, "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["an abort goes back", states.paused, events.abort, "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["a pause is a pause", states.stage, events.pause, "paused 1, run 7; paused"],
    ["what is served already may go on", states.paused, events.resume, "stage 1, run 7; resumed"],
    ["a hand-over gives nobody another variant", states.promoted, events.handover, "handedOver, run 7; remove; handedOver"],
    [
      "a promotion is refused with the reason",
      states.stage,
      events.promote,
      "refused: checkout is in stage 2 of 3: held by freeze: quarter end; window: opens on Monday at 09:00; wait, or promote with --override and --reason",
    ],
  ] as const)("%s", (_, state: PlanState, event: PlanEvent, expected) => {
    expect(summary(stepOf(state, event, 60_000 + 10_000, [freeze, window]))).toBe(expected);
  });

  test.each([
    ["a ramp stays", rampStates.ramp, events.advance, "ramp, run 7"],
    ["a ramp's share may fall", rampStates.ramp, { ...events.hold, odds: 6 }, "ramp, run 8; serve 1000 as run 8; ramp"],
    ["the holdback waits", rampStates.atCap, events.advance, "ramp, run 7"],
    ["everyone waits for the holdback's end", rampStates.holdback, events.advance, "holdback, run 7"],
  ] as const)("%s", (_, state: PlanState, event: PlanEvent, expected) => {
    expect(summary(rampStepOf(state, event, 30 * 60_000, [freeze]))).toBe(expected);
  });

  test("a person may promote in spite of it, and the audit says so", () => {
    const step = stepOf(states.stage, { ...events.promote, override: true, reason: "fixes the outage" }, 0, [freeze]);
    expect(step).toMatchObject({ ok: true, state: { phase: "stage", stage: 2 } });
    expect(step).toHaveProperty(
      "effects.1.reason",
      "stage 3 of 3: promoted by the operator: fixes the outage (in spite of freeze: quarter end)",
    );
  });
});

describe("time that a hold takes", () => {
  const held = { sinceMs: SINCE_MS + 1_000, reason: "freeze: quarter end" };

  test("is written down once, and again when something else holds", () => {
    const step = stepOf(states.stage, events.tick, 1_000, [freeze]);
    expect(step).toEqual({
      ok: true,
      state: { ...states.stage, held },
      effects: [{ type: "audit", action: "held", reason: "freeze: quarter end" }],
    });
    const seen = { ...states.stage, held };
    expect(stepOf(seen, events.tick, 2_000, [freeze])).toEqual({ ok: true, state: seen, effects: [] });
    expect(stepOf(seen, events.tick, 2_000, [window])).toMatchObject({
      state: { held: { sinceMs: held.sinceMs, reason: "window: opens on Monday at 09:00" } },
    });
  });

  test.each([
    ["pending", states.pending],
    ["stage", states.stage],
  ] as const)("brings no deadline of a rollout in %s nearer", (_, state) => {
    const kept = { ...state, held };
    expect(stepOf(kept, events.tick, 30 * DAY, [freeze])).toEqual({ ok: true, state: kept, effects: [] });
    const released = stepOf(kept, events.tick, 30 * DAY);
    expect(released).toEqual({
      ok: true,
      state: { ...state, sinceMs: SINCE_MS + 30 * DAY - 1_000 },
      effects: [{ type: "audit", action: "released", reason: "no longer held by freeze: quarter end" }],
    });
  });

  test("stops the clock of a ramp, and of its share", () => {
    const released = rampStepOf({ ...rampStates.ramp, held }, events.tick, DAY);
    const laterMs = SINCE_MS + DAY - 1_000;
    expect(released).toMatchObject({ state: { phase: "ramp", sinceMs: laterMs, changedAtMs: laterMs } });
    expect(rampStepOf({ ...rampStates.holdback, held }, events.tick, DAY)).toMatchObject({ state: { sinceMs: laterMs } });
  });

  test("moves nothing into the future that began meanwhile", () => {
    const released = rampStepOf({ ...rampStates.ramp, sinceMs: SINCE_MS + 5_000, held }, events.tick, 6_000);
    expect(released).toMatchObject({ state: { sinceMs: SINCE_MS + 6_000 } });
  });

  test.each(["paused", "promoting", "promoted", "rollingBack", "rolledBack", "handedOver"] as const)(
    "is none of %s, which waits for nothing that could be held",
    (name) => {
      expect(stepOf(states[name], events.tick, 1_000, [freeze])).toEqual({ ok: true, state: states[name], effects: [] });
    },
  );
});

import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import type { PlanInput } from "../../../../src/core/plan/types.ts";
import { events, stepOf, strategyStates, strategyStepOf, summary, who } from "../../../support/plan-inputs.ts";

const promote = (variant?: string, full = false): PlanInput => ({ type: "promote", full, variant, who });
const { trial, decision } = strategyStates;
const stepFrom = (state: PlanState, event: PlanInput) => strategyStepOf("test", state, event);

/** The state after such events, each of which must be legal. */
function after(state: PlanState, ...told: readonly PlanInput[]): PlanState {
  return told.reduce((before, event) => {
    const step = stepFrom(before, event);
    if (!step.ok) throw new Error(step.refusal);
    return step.state;
  }, state);
}

describe("everyone gets the variant of a test that a person chooses", () => {
  test.each([
    { title: "after the test", state: decision, event: promote("b"), why: "promoted by the operator after the test, b for everyone" },
    {
      title: "in its midst",
      state: trial,
      event: promote("b", true),
      why: "promoted by the operator in the midst of the test, b for everyone",
    },
  ])("$title", ({ state, event, why }) => {
    const step = stepFrom(state, event);
    expect(summary(step)).toBe("promoting, run 8; serve 10000 as run 8; promoting");
    expect(step).toMatchObject({ state: { winner: "b" }, effects: [{ advances: true }, { reason: why }] });
  });

  test("which stays so through pauses, to the end of its promotion", () => {
    const { pause, resume, confirmed } = events;
    expect(after(decision, promote("b"), pause)).toMatchObject({ phase: "paused", winner: "b" });
    expect(after(decision, promote("b"), pause, resume, confirmed)).toMatchObject({ phase: "promoted", winner: "b" });
  });

  test.each([undefined, "canary"])("which is the first one where it is named so, or none is: %s", (variant) => {
    expect(after(decision, promote(variant), events.confirmed)).not.toHaveProperty("winner");
  });

  test("named again, it goes on", () => {
    expect(after(decision, promote("b"), events.pause, promote("b"))).toMatchObject({ phase: "promoting", winner: "b" });
  });

  test("with the person's reason beside its name", () => {
    const step = stepFrom(decision, { type: "promote", full: false, variant: "b", who, reason: "seen enough" });
    expect(step).toMatchObject({ effects: [{}, { reason: "promoted by the operator after the test, b for everyone: seen enough" }] });
  });

  test.each([
    {
      title: "before the test has ended, without --full",
      step: stepFrom(trial, promote("b")),
      refusal: "checkout is in its test: promote ends it, and then promote --variant b decides; promote --full --variant b does both",
    },
    {
      title: "of the first one either, without --full",
      step: stepFrom(trial, promote("canary")),
      refusal:
        "checkout is in its test: promote ends it, and then promote --variant canary decides; promote --full --variant canary does both",
    },
    {
      title: "once another is everyone's",
      step: stepFrom(after(decision, promote("b"), events.pause), promote("canary")),
      refusal: "checkout is paused: everyone can get b alone; only a test (strategy abTest) that waits for a decision leaves the choice",
    },
    {
      title: "that is no variant of it",
      step: stepFrom(decision, promote("stable")),
      refusal: "checkout is tested, and waits for a decision: stable is no variant beside stable; name canary or b",
    },
    {
      title: "before anybody was served",
      step: stepFrom(strategyStates.pending, promote("b")),
      refusal:
        "checkout is pending: everyone can get canary alone; only a test (strategy abTest) that waits for a decision leaves the choice",
    },
    {
      title: "of a rollout that has one alone",
      step: stepOf({ phase: "promoted", run: 7, firstRun: 5, sinceMs: 0, overdue: false }, promote("b")),
      refusal: "checkout is promoted: b is no variant beside stable; name canary",
    },
  ])("and none $title", ({ step, refusal }) => {
    expect(step).toEqual({ ok: false, refusal });
  });
});

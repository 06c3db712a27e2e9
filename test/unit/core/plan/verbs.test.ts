import { describe, expect, test } from "vitest";
import { plan } from "../../../../src/core/plan/plan.ts";
import type { PlanInput } from "../../../../src/core/plan/types.ts";
import {
  events,
  rampStates,
  rampStepOf,
  rollout,
  SINCE_MS,
  type StateName,
  states,
  stepOf,
  strategies,
  summary,
} from "../../../support/plan-inputs.ts";

const VERBS = ["promote", "promoteFull", "pause", "resume", "abort", "retry", "undo", "handover"] as const;
type VerbName = (typeof VERBS)[number];

/** Where each verb leads from each state, one column a verb in the order above; a dash is a refusal. */
const TABLE: Readonly<Record<StateName, string>> = {
  pending: "- - - - rollingBack - rollingBack -",
  stage: "stage promoting paused - rollingBack - rollingBack -",
  unbegun: "stage promoting paused - rollingBack - rollingBack -",
  lastStage: "promoting promoting paused - rollingBack - rollingBack -",
  paused: "stage promoting - stage rollingBack - rollingBack -",
  pausedAtFull: "promoting promoting - promoting rollingBack - rollingBack -",
  promoting: "- - paused - rollingBack - rollingBack -",
  promoted: "- - - - rollingBack - rollingBack handedOver",
  overdue: "- - - - rollingBack - rollingBack handedOver",
  rollingBack: "- - - - rollingBack - rollingBack -",
  rollingBackWithout: "- - - - rollingBack - rollingBack -",
  retreating: "- - - - rollingBack - rollingBack -",
  rolledBack: "- - - - - pending - -",
  handedOver: "- - - - - - - -",
};

const RAMP_TABLE: Readonly<Record<keyof typeof rampStates, string>> = {
  ramp: "holdback promoting paused - rollingBack - rollingBack -",
  unbegun: "holdback promoting paused - rollingBack - rollingBack -",
  atCap: "holdback promoting paused - rollingBack - rollingBack -",
  holdback: "promoting promoting paused - rollingBack - rollingBack -",
  holdbackUnbegun: "promoting promoting paused - rollingBack - rollingBack -",
  paused: "holdback promoting - ramp rollingBack - rollingBack -",
  pausedAtHoldback: "promoting promoting - holdback rollingBack - rollingBack -",
  pausedAtFull: "promoting promoting - promoting rollingBack - rollingBack -",
  promoting: "- - paused - rollingBack - rollingBack -",
};

const rowsOf = <Name extends string>(table: Readonly<Record<Name, string>>): { name: Name; verb: VerbName; to: string }[] =>
  // The keys are the table's own.
  (Object.keys(table) as Name[]).flatMap((name) => {
    const cells = table[name].split(" ");
    return VERBS.map((verb, index) => ({ name, verb, to: cells[index] ?? "" }));
  });

describe("every verb in every state leads somewhere, or is refused", () => {
  test.each(rowsOf(TABLE))("$name, $verb: $to", ({ name, verb, to }) => {
    const step = stepOf(states[name], events[verb]);
    expect(step.ok ? step.state.phase : "-").toBe(to);
  });

  test.each(rowsOf(RAMP_TABLE))("of a ramp $name, $verb: $to", ({ name, verb, to }) => {
    const step = rampStepOf(rampStates[name], events[verb]);
    expect(step.ok ? step.state.phase : "-").toBe(to);
  });
});

describe("a reason that a person gives", () => {
  test.each([
    [states.stage, { ...events.promote, reason: "seen enough" }, "stage 3 of 3: promoted by the operator: seen enough"],
    [states.stage, { ...events.promoteFull, reason: "seen enough" }, "promoted by the operator, past the stages left: seen enough"],
    [states.paused, { ...events.resume, reason: "back" }, "stage 2 of 3 goes on: back"],
    [states.promoted, { ...events.handover, reason: "deployed" }, "stable runs the new version; the rule rests: deployed"],
    [states.rolledBack, { ...events.retry, reason: "flaky" }, "the same plan again: flaky"],
    [states.stage, { ...events.undo, reason: "wrong build" }, "wrong build"],
    [states.stage, { ...events.undo, reason: " " }, "undone"],
    [states.stage, { ...events.promote, reason: "" }, "stage 3 of 3: promoted by the operator"],
  ] as const)("stands in the audit", (state, event: PlanInput, reason) => {
    const step = stepOf(state, event);
    expect(step.ok && step.effects.flatMap((effect) => (effect.type === "audit" ? [effect.reason] : []))).toContain(reason);
  });
});

describe("retry", () => {
  test("begins another attempt with the next run, whose evidence counts from there", () => {
    expect(stepOf(states.rolledBack, events.retry, 5_000)).toEqual({
      ok: true,
      state: { phase: "pending", run: 8, firstRun: 8, sinceMs: 1_005_000 },
      effects: [
        { type: "audit", action: "retry", reason: "the same plan again" },
        { type: "serve", run: 8, shareBp: 0, off: false },
        { type: "audit", action: "pending", reason: "waiting for every known sidecar to confirm the rules" },
      ],
    });
  });

  test.each([
    ["stage", "refused: checkout is in stage 2 of 3: this attempt is not over; abort it first, then retry"],
    ["rollingBack", "refused: checkout is being rolled back: the way back is not over (errors); retry when it is"],
    ["handedOver", "refused: checkout is handed over: stable runs the new version and the rule rests; apply a rollout for the next change"],
  ] as const)("is refused in %s", (state, expected) => {
    expect(summary(stepOf(states[state], events.retry))).toBe(expected);
  });
});

describe("undo", () => {
  test.each([
    ["rolledBack", "refused: checkout is rolled back: everyone has the version before already (errors); retry would try this one again"],
    [
      "handedOver",
      "refused: checkout is handed over: stable runs the new version, and no plan before this one names another; deploy the version before",
    ],
  ] as const)("is refused in %s", (state, expected) => {
    expect(summary(stepOf(states[state], events.undo))).toBe(expected);
  });

  test("of a hand-over gives everyone the version before as soon as its rules are confirmed, whatever holds rollouts", () => {
    const pending = { ...states.pending, atOnce: true } as const;
    const freeze = { kind: "freeze", reason: "quarter end" } as const;
    expect(summary(stepOf(pending, events.missing))).toBe("pending, run 7");
    expect(summary(stepOf(pending, events.confirmed, 0, [freeze]))).toBe("promoting, run 8; serve 10000 as run 8; promoting");
    const toggle = plan(strategies.toggle, pending, events.confirmed, { nowMs: SINCE_MS, holds: [freeze] });
    expect(summary(toggle)).toBe("on, run 8; serve 2000 as run 8; on");
    const watched = { ...rollout, mode: "observe" } as const;
    expect(plan(watched, pending, events.confirmed, { nowMs: SINCE_MS })).toMatchObject({ ok: true, state: { phase: "promoting" } });
  });
});

import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { type PlanState, PlanStateSchema } from "../../src/contract/live.ts";
import { stagesOf } from "../../src/contract/stages.ts";
import { DEADLINES } from "../../src/core/plan/deadlines.ts";
import { plan, startPlan } from "../../src/core/plan/plan.ts";
import type { PlanEffect, PlanEvent, PlanStep } from "../../src/core/plan/types.ts";
import { rollout, states } from "../support/plan-inputs.ts";

const stages = stagesOf(rollout.strategy);
const text = fc.constantFrom("", "because", " ");

const anyEvent: fc.Arbitrary<PlanEvent> = fc.oneof(
  fc.constant<PlanEvent>({ type: "tick" }),
  fc.record({
    type: fc.constant("verdict" as const),
    verdict: fc.constantFrom(
      "advance" as const,
      "advance" as const,
      "advance" as const,
      "hold" as const,
      "rollback" as const,
      "unknown" as const,
    ),
    safeShareBp: fc.constantFrom(0, 2_500, 5_000, 10_000, 10_000),
    runSample: fc.constantFrom(0, 99, 100, 100_000),
    reason: text,
  }),
  { weight: 3, arbitrary: fc.record({ type: fc.constant("receipts" as const), missing: fc.constantFrom([], [], ["s1"], ["s1", "s2"]) }) },
  fc.record({ type: fc.constant("promote" as const), full: fc.boolean() }),
  fc.record({ type: fc.constant("pause" as const), reason: text }),
  fc.constant<PlanEvent>({ type: "resume" }),
  fc.record({ type: fc.constant("abort" as const), reason: text }),
  fc.constant<PlanEvent>({ type: "handover" }),
);
const waitMs = fc.oneof(fc.integer({ min: 0, max: 120_000 }), fc.constantFrom(35_000, 600_000, 90_000_000, 604_800_000));
const story = fc.array(fc.record({ event: anyEvent, waitMs }), { maxLength: 60 });

interface Moment {
  readonly before: PlanState;
  readonly event: PlanEvent;
  readonly step: PlanStep;
  readonly after: PlanState;
  /** Served after the step. */
  readonly served: Extract<PlanEffect, { type: "serve" }>;
}

/** What happens to a rollout from its start, step by step. */
function tell(told: readonly { event: PlanEvent; waitMs: number }[]): Moment[] {
  let nowMs = 1_000_000;
  let { state } = startPlan(nowMs, 3);
  let served: Moment["served"] = { type: "serve", run: 3, shareBp: 0, off: false };
  return told.map(({ event, waitMs: ms }) => {
    nowMs += ms;
    const before = state;
    const step = plan(rollout, before, event, nowMs);
    if (step.ok) {
      state = step.state;
      served = step.effects.find((effect) => effect.type === "serve") ?? served;
    }
    return { before, event, step, after: state, served };
  });
}

/** The most that a state may serve. */
function allowedBp(state: PlanState): number {
  switch (state.phase) {
    case "pending":
    case "rollingBack":
    case "rolledBack":
      return 0;
    case "stage":
    case "paused":
      return stages[state.stage]?.share ?? 10_000;
    case "promoting":
    case "promoted":
    case "handedOver":
      return 10_000;
  }
}

const isBack = ({ phase }: PlanState): boolean => phase === "rollingBack" || phase === "rolledBack";
const stageOf = (state: PlanState): number => {
  if (state.phase === "pending") return -1;
  return "stage" in state ? state.stage : stages.length;
};

describe("any interleaving of events", () => {
  test.prop([story])("serves what the state says, and never more", (told) => {
    for (const { after, served } of tell(told)) expect(served.shareBp).toBe(allowedBp(after));
  });

  test.prop([story])("counts a new run exactly when something else is served, and the run is the served one", (told) => {
    for (const { before, step, after, served } of tell(told)) {
      const hasServed = step.ok && step.effects.some(({ type }) => type === "serve");
      expect(after.run - before.run).toBe(hasServed ? 1 : 0);
      expect(served.run).toBe(after.run);
      expect(after.firstRun).toBe(3);
    }
  });

  test.prop([story])("never serves anyone again once the way back has begun", (told) => {
    for (const { before, after, served } of tell(told)) {
      expect([isBack(before), isBack(after)]).not.toEqual([true, false]);
      expect(served.off).toBe(isBack(after));
    }
  });

  test.prop([story])("moves up one stage at a time, but for a full promotion", (told) => {
    for (const { before, event, after } of tell(told)) {
      const isJump = isBack(after) || (event.type === "promote" && event.full);
      expect(isJump || stageOf(after) - stageOf(before) <= 1).toBe(true);
    }
  });

  test.prop([story])("moves up on a verdict only when it says so and the next share is safe", (told) => {
    for (const { before, event, after } of tell(told)) {
      const hasGrown = event.type === "verdict" && allowedBp(after) > allowedBp(before);
      const isEarned = event.type === "verdict" && event.verdict === "advance" && event.safeShareBp >= allowedBp(after);
      expect(hasGrown && !isEarned).toBe(false);
    }
  });

  test.prop([story])("goes back at once on a rollback verdict or an abort, wherever it was", (told) => {
    for (const { before, event, after } of tell(told)) {
      const isCalledBack = event.type === "abort" || (event.type === "verdict" && event.verdict === "rollback");
      expect(isCalledBack ? isBack(after) || before.phase === "handedOver" : true).toBe(true);
    }
  });

  test.prop([story])("leads to states that can be stored, and says why each of them was entered", (told) => {
    for (const { before, step, after } of tell(told)) {
      expect(PlanStateSchema.parse(JSON.parse(JSON.stringify(after)))).toEqual(after);
      const audits = step.ok ? step.effects.filter((effect) => effect.type === "audit") : [];
      expect(audits.every(({ action, reason }) => action !== "" && reason.trim() !== "")).toBe(true);
      expect(audits.length).toBe(audits.length === 0 && before.phase === after.phase ? 0 : 1);
    }
  });

  test.prop([story])("tells the same story twice", (told) => {
    expect(tell(told)).toEqual(tell(told));
  });
});

describe("left alone", () => {
  const leaves = new Set(["rolledBack", "handedOver"]);

  test.prop([story])("every rollout ends, or is promoted and called overdue", (told) => {
    let state = tell(told).at(-1)?.after ?? startPlan(0, 3).state;
    const longestMs = Math.max(...Object.values(DEADLINES)) + 60_000;
    for (let nowMs = 2e12; nowMs < 2e12 + 5 * longestMs; nowMs += longestMs) {
      const step = plan(rollout, state, { type: "tick" }, nowMs);
      if (step.ok) state = step.state;
    }
    expect(leaves.has(state.phase) || (state.phase === "promoted" && state.overdue)).toBe(true);
  });
});

describe("a refusal", () => {
  test.prop([fc.constantFrom(...Object.values(states)), anyEvent, fc.integer()])(
    "is for operators, and says where the rollout stands",
    (state, event, nowMs) => {
      const step = plan(rollout, state, event, nowMs);
      const isVerb = !["tick", "verdict", "receipts"].includes(event.type);
      expect(step.ok || (isVerb && step.refusal.startsWith("checkout is "))).toBe(true);
    },
  );
});

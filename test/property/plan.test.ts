import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { stagesOf } from "../../src/contract/course.ts";
import { type PlanState, PlanStateSchema, servedPhase } from "../../src/contract/live.ts";
import type { Rollout } from "../../src/contract/rollout.ts";
import { DEADLINES } from "../../src/core/plan/deadlines.ts";
import { plan } from "../../src/core/plan/plan.ts";
import { startPlan } from "../../src/core/plan/start.ts";
import type { Hold, PlanEffect, PlanInput, PlanStep } from "../../src/core/plan/types.ts";
import { rampRollout, rampStates, rollout, states, who } from "../support/plan-inputs.ts";

/** With stages, with a ramp, and one that does not wait for a silent canary. */
const rollouts = [rollout, rampRollout, { ...rampRollout, checks: { ...rampRollout.checks, onNoData: "rollback" as const } }];
const stages = stagesOf(rollout.strategy);
const text = fc.constantFrom("", "because", " ");

const anyEvent: fc.Arbitrary<PlanInput> = fc.oneof(
  fc.constantFrom<PlanInput>(
    { type: "tick" },
    { type: "tick", last: null },
    { type: "tick", last: { reason: "why", canaryAtMs: 2_000_000 } },
  ),
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
    odds: fc.constantFrom(0.4, 0.4, 0.4, 2.9, 3, 5, 80),
    alpha: fc.constant(0.01),
    requestsPerSecond: fc.constantFrom(undefined, 0, 1, 50, 5_000),
  }),
  { weight: 3, arbitrary: fc.record({ type: fc.constant("receipts" as const), missing: fc.constantFrom([], [], ["s1"], ["s1", "s2"]) }) },
  fc.record({ type: fc.constant("promote" as const), full: fc.boolean(), override: fc.boolean(), who: fc.constant(who), reason: text }),
  fc.record({
    type: fc.constantFrom("pause" as const, "resume" as const, "abort" as const, "retry" as const, "undo" as const, "handover" as const),
    who: fc.constant(who),
    reason: text,
  }),
);
const waitMs = fc.oneof(
  fc.integer({ min: 0, max: 120_000 }),
  fc.constantFrom(10_000, 60_000),
  fc.constantFrom(35_000, 600_000, 90_000_000, 604_800_000),
);
const anyHolds = fc.constantFrom<readonly Hold[]>(
  [],
  [],
  [],
  [{ kind: "freeze", reason: "quarter end" }],
  [{ kind: "window", reason: "night" }],
);
const story = fc.record({
  rollout: fc.constantFrom(...rollouts),
  told: fc.array(fc.record({ event: anyEvent, waitMs, holds: anyHolds }), { maxLength: 60 }),
});

interface Story {
  readonly rollout: Rollout;
  readonly told: readonly { event: PlanInput; waitMs: number; holds: readonly Hold[] }[];
}

interface Moment {
  readonly before: PlanState;
  readonly event: PlanInput;
  readonly step: PlanStep;
  readonly after: PlanState;
  /** Served after the step. */
  readonly served: Extract<PlanEffect, { type: "serve" }>;
}

/** What happens to a rollout from its start, step by step. */
function tell({ rollout: known, told: events }: Story): Moment[] {
  let nowMs = 1_000_000;
  let { state } = startPlan(nowMs, 3);
  let served: Moment["served"] = { type: "serve", run: 3, shareBp: 0, off: false };
  return events.map(({ event, waitMs: ms, holds }) => {
    nowMs += ms;
    const before = state;
    const step = plan(known, before, event, { nowMs, holds });
    if (step.ok) {
      state = step.state;
      served = step.effects.find((effect) => effect.type === "serve") ?? served;
    }
    return { before, event, step, after: state, served };
  });
}

const FULL_BP = 10_000;
const HELD_BACK_BP = 9_500;

/** What a state of one of the rollouts serves. */
function allowedBp(standing: PlanState, { strategy }: Rollout): number {
  const state = servedPhase(standing);
  switch (state.phase) {
    case "queued":
    case "pending":
    case "rollingBack":
    case "rolledBack":
    case "preview":
    case "shadow":
    case "trial":
    case "decision":
    case "on":
    case "group":
      return 0;
    case "ramp":
      return state.shareBp;
    case "holdback":
      return HELD_BACK_BP;
    case "stage":
    case "paused":
      if ("ramp" in strategy) return "shareBp" in state ? (state.shareBp ?? FULL_BP) : ([FULL_BP, HELD_BACK_BP][state.stage] ?? FULL_BP);
      return stages[state.stage]?.share ?? FULL_BP;
    case "promoting":
    case "promoted":
    case "handedOver":
      return FULL_BP;
  }
}

const isBack = ({ phase }: PlanState): boolean => phase === "rollingBack" || phase === "rolledBack";

const isRetry = (before: PlanState, after: PlanState): boolean => before.phase === "rolledBack" && after.phase === "pending";

/** How far a plan is; past the last step all is one. */
const stepOf = (state: PlanState, { strategy }: Rollout): number => {
  if (state.phase === "pending") return -1;
  if (state.phase === "ramp") return 0;
  if (state.phase === "holdback") return 1;
  if ("stage" in state) return state.stage;
  return "ramp" in strategy ? 2 : stages.length;
};

describe("any interleaving of events", () => {
  test.prop([story])("serves what the state says, and never more", (told) => {
    for (const { after, served } of tell(told)) expect(served.shareBp).toBe(allowedBp(after, told.rollout));
  });

  test.prop([story])("counts a new run exactly when something else is served, and the run is the served one", (told) => {
    for (const { before, step, after, served } of tell(told)) {
      const hasServed = step.ok && step.effects.some(({ type }) => type === "serve");
      expect(after.run - before.run).toBe(hasServed ? 1 : 0);
      expect(served.run).toBe(after.run);
      expect(after.firstRun).toBe(isRetry(before, after) ? after.run : before.firstRun);
    }
  });

  test.prop([story])("never serves anyone again once the way back has begun, but in another attempt", (told) => {
    for (const { before, after, served } of tell(told)) {
      expect(isBack(before) && !isBack(after)).toBe(isRetry(before, after));
      expect(served.off).toBe(isBack(after));
    }
  });

  test.prop([story])("moves up one stage at a time, but for a full promotion", (told) => {
    for (const { before, event, after } of tell(told)) {
      const isJump = isBack(after) || (event.type === "promote" && event.full);
      expect(isJump || stepOf(after, told.rollout) - stepOf(before, told.rollout) <= 1).toBe(true);
    }
  });

  test.prop([story])("moves up on a verdict only when it says so and the next share is safe", (told) => {
    for (const { before, event, after } of tell(told)) {
      const shareBp = allowedBp(after, told.rollout);
      const hasGrown = event.type === "verdict" && shareBp > allowedBp(before, told.rollout);
      const isEarned = event.type === "verdict" && event.verdict === "advance" && event.safeShareBp >= shareBp;
      // A ramp grows by the clock to 10 % where nothing speaks much against it, and further where nothing does at all.
      const odds = event.type === "verdict" && event.verdict !== "hold" && after.phase === "ramp" ? event.odds : Number.POSITIVE_INFINITY;
      const isByClock = odds < 1 || (odds < 3 && shareBp <= 1_000);
      expect(hasGrown && !isEarned && !isByClock).toBe(false);
    }
  });

  test.prop([story])(
    "changes the share of a ramp only every 10 s, to half of the users at most, and 2.5 times at once beyond the first",
    (told) => {
      for (const { before, after } of tell(told)) {
        const grown = before.phase === "ramp" && after.phase === "ramp" && after.shareBp > before.shareBp ? { before, after } : undefined;
        const isPaced = grown === undefined || grown.after.changedAtMs - grown.before.changedAtMs >= 10_000;
        const isSmall = grown === undefined || grown.after.shareBp <= Math.min(5_000, Math.max(100, 2.5 * grown.before.shareBp));
        expect([isPaced, isSmall]).toEqual([true, true]);
      }
    },
  );

  test.prop([story])("never grows a share that some sidecar has not confirmed, but by a person", (told) => {
    for (const { before, event, after } of tell(told)) {
      const isUnconfirmed = "begunAtMs" in before && before.begunAtMs === null;
      const hasGrown = allowedBp(after, told.rollout) > allowedBp(before, told.rollout);
      expect(isUnconfirmed && hasGrown && event.type !== "promote").toBe(false);
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
      const most = isRetry(before, after) ? 2 : 1;
      expect(audits.length).toBe(audits.length === 0 && before.phase === after.phase ? 0 : most);
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
      const step = plan(told.rollout, state, { type: "tick" }, { nowMs });
      if (step.ok) state = step.state;
    }
    expect(leaves.has(state.phase) || (state.phase === "promoted" && state.overdue)).toBe(true);
  });
});

describe("a refusal", () => {
  const standings = [
    ...Object.values(states).map((state) => ({ state, known: rollout })),
    ...Object.values(rampStates).map((state) => ({ state, known: rampRollout })),
  ];
  test.prop([fc.constantFrom(...standings), anyEvent, fc.integer()])(
    "is for operators, and says where the rollout stands",
    ({ state, known }, event, nowMs) => {
      const step = plan(known, state, event, { nowMs });
      expect(step.ok || (!["tick", "verdict", "receipts"].includes(event.type) && step.refusal.startsWith("checkout is "))).toBe(true);
    },
  );
});

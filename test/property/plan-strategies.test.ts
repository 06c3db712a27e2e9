import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { courseOf } from "../../src/contract/course.ts";
import { type PlanState, PlanStateSchema, servedPhase } from "../../src/contract/live.ts";
import { heldBackBp } from "../../src/contract/ramp.ts";
import type { Rollout } from "../../src/contract/rollout.ts";
import { DEADLINES } from "../../src/core/plan/deadlines.ts";
import { plan } from "../../src/core/plan/plan.ts";
import { startPlan } from "../../src/core/plan/start.ts";
import type { Hold, PlanEffect, PlanInput, PlanStep } from "../../src/core/plan/types.ts";
import { strategies, strategyStates, who } from "../support/plan-inputs.ts";

const reason = fc.constantFrom("because", "", undefined);
const anyEvent: fc.Arbitrary<PlanInput> = fc.oneof(
  fc.record({
    type: fc.constant("tick" as const),
    last: fc.record({ reason: fc.constant("why"), verdict: fc.constantFrom("advance" as const, "hold" as const) }),
  }),
  fc.constant<PlanInput>({ type: "tick" }),
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("verdict" as const),
      verdict: fc.constantFrom("advance" as const, "advance" as const, "hold" as const, "rollback" as const, "unknown" as const),
      safeShareBp: fc.constantFrom(0, 2_000, 5_000, 10_000, 10_000),
      runSample: fc.constantFrom(0, 99, 100, 100_000),
      reason: fc.constantFrom("fine", ""),
      odds: fc.constantFrom(0.4, 0.4, 2.9, 5),
      alpha: fc.constant(0.01),
      requestsPerSecond: fc.constantFrom(undefined, 50),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("receipts" as const),
      missing: fc.constantFrom([], [], ["s1"]),
      groups: fc.constantFrom(["a", "b", "c"], ["a", "b", "c"], ["a", "b", "c", "d"], ["a"], [], undefined),
    }),
  },
  fc.record({ type: fc.constant("promote" as const), full: fc.boolean(), override: fc.boolean(), who: fc.constant(who), reason }),
  fc.record({
    type: fc.constantFrom("pause" as const, "resume" as const, "abort" as const, "handover" as const),
    who: fc.constant(who),
    reason,
  }),
);
const waitMs = fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.constantFrom(60_000, 600_000, 90_000_000, 604_800_000));
const freeze = { kind: "freeze", reason: "quarter end" } as const;
const anyHolds = fc.constantFrom<readonly Hold[]>([], [], [], [freeze]);
const story = fc.record({
  rollout: fc.constantFrom<Rollout>(...Object.values(strategies)),
  told: fc.array(fc.record({ event: anyEvent, waitMs, holds: anyHolds }), { maxLength: 60 }),
});

interface Story {
  readonly rollout: Rollout;
  readonly told: readonly { event: PlanInput; waitMs: number; holds: readonly Hold[] }[];
}

interface Moment {
  readonly before: PlanState;
  readonly event: PlanInput;
  readonly holds: readonly Hold[];
  readonly step: PlanStep;
  readonly after: PlanState;
  readonly served: Extract<PlanEffect, { type: "serve" }>;
}

function tell({ rollout, told }: Story): Moment[] {
  let nowMs = 1_000_000;
  let { state } = startPlan(nowMs, 3);
  let served: Moment["served"] = { type: "serve", run: 3, shareBp: 0, off: false };
  return told.map(({ event, waitMs: ms, holds }) => {
    nowMs += ms;
    const before = state;
    const step = plan(rollout, before, event, { nowMs, holds });
    if (step.ok) {
      state = step.state;
      served = step.effects.find((effect) => effect.type === "serve") ?? served;
    }
    return { before, event, holds, step, after: state, served };
  });
}

const FULL_BP = 10_000;

/** What a state serves, in basis points; of groups in each that is on. */
function plannedBp(standing: PlanState, { strategy }: Rollout): number {
  const state = servedPhase(standing);
  const { trial, toggle, rolling, stages, ramp } = courseOf(strategy);
  switch (state.phase) {
    case "queued":
    case "pending":
    case "rollingBack":
    case "rolledBack":
    case "preview":
    case "shadow":
      return 0;
    case "trial":
    case "decision":
      return Number(trial.shares["canary"]);
    case "on":
      return toggle.share;
    case "group":
      return rolling.share;
    case "ramp":
      return state.shareBp;
    case "holdback":
      return ramp === undefined ? 0 : heldBackBp(ramp);
    case "stage":
      return Number(stages[state.stage]?.share);
    case "paused": {
      if (state.from === "group") return rolling.share;
      if (state.from !== undefined) return 0;
      const held = ramp !== undefined && state.stage === 1 ? heldBackBp(ramp) : FULL_BP;
      return state.shareBp ?? stages[state.stage]?.share ?? held;
    }
    case "promoting":
    case "promoted":
      return FULL_BP;
    case "handedOver":
      return strategy === strategies.toggle.strategy ? 0 : FULL_BP;
  }
}

/** About how many users a state gives another variant; groups count as equally large. */
function exposedBp(state: PlanState, rollout: Rollout): number {
  const shareBp = plannedBp(state, rollout);
  const [groups, group] = "groups" in state && state.groups !== undefined ? [state.groups, state.group] : [undefined, undefined];
  return groups === undefined ? shareBp : Math.round((shareBp * (Number(group) + 1)) / groups.length);
}

const isBack = ({ phase }: PlanState): boolean => phase === "rollingBack" || phase === "rolledBack";
const hasGrown = ({ before, after }: Moment, rollout: Rollout): boolean =>
  before.run !== after.run && exposedBp(after, rollout) > exposedBp(before, rollout);

describe("whatever happens to a rollout of any strategy", () => {
  test.prop([story])("it serves what its state says, and off exactly on the way back", (told) => {
    for (const { after, served } of tell(told)) {
      const isOff = after.phase === "handedOver" || served.shareBp === plannedBp(after, told.rollout);
      expect([isOff, served.off, served.run]).toEqual([true, isBack(after), after.run]);
    }
  });

  test.prop([story])("more users get another variant by a verdict, a person, the plan's own order, or its first step alone", (told) => {
    for (const moment of tell(told)) {
      const { before, event } = moment;
      const { preview } = courseOf(told.rollout.strategy);
      const isOrdered =
        event.type === "tick" && before.phase === "preview" && typeof preview.promote === "object" && "after" in preview.promote;
      const isFirst = event.type === "receipts" && before.phase === "pending";
      const isJudged = event.type === "verdict" && (event.verdict === "advance" || before.phase === "ramp");
      expect(hasGrown(moment, told.rollout) ? isOrdered || isFirst || isJudged || event.type === "promote" : true).toBe(true);
    }
  });

  test.prop([story])("a verdict leads no further than it calls safe, but for a ramp and its first users", (told) => {
    for (const moment of tell(told)) {
      const { before, event, after } = moment;
      const isGrowth = event.type === "verdict" && hasGrown(moment, told.rollout) && before.phase !== "ramp" && after.phase !== "ramp";
      const safeBp = event.type === "verdict" ? event.safeShareBp : 0;
      expect(isGrowth ? exposedBp(after, told.rollout) <= safeBp : true).toBe(true);
    }
  });

  test.prop([story])("groups come one by one, and the last by the promotion at the earliest", (told) => {
    for (const { before, event, after } of tell(told)) {
      const isNext = before.phase === "group" && after.phase === "group" && before.group !== after.group;
      const isFull = before.phase === "group" && after.phase === "promoting" && !(event.type === "promote" && event.full);
      expect(isNext ? [before, after].map((state) => ("group" in state ? state.group : undefined)) : []).toEqual(
        isNext && before.phase === "group" ? [before.group, before.group + 1] : [],
      );
      expect(isFull && before.phase === "group" ? before.group >= before.groups.length - 2 : true).toBe(true);
    }
  });

  test.prop([story])("it goes back at once on abort, and on evidence of harm but for a later group, which goes back alone", (told) => {
    for (const { before, event, after } of tell(told)) {
      const isCalledBack = event.type === "abort" || (event.type === "verdict" && event.verdict === "rollback");
      const isAlone = event.type === "verdict" && before.phase === "group" && before.group > 0;
      const isOnlyNewest = isAlone && after.phase === "paused" && before.phase === "group" && after.group === before.group - 1;
      expect(isCalledBack ? isBack(after) || isOnlyNewest || before.phase === "handedOver" : true).toBe(true);
      expect([isBack(before), isBack(after)]).not.toEqual([true, false]);
    }
  });

  test.prop([story])("what is frozen grows only by a person who overrides", (told) => {
    for (const moment of tell(told)) {
      const isOverridden = moment.event.type === "promote" && moment.event.override === true;
      expect(moment.holds.length > 0 && hasGrown(moment, told.rollout) ? isOverridden : true).toBe(true);
    }
  });

  test.prop([story])(
    "evidence begins anew where what was seen is about others: after a shadow, and without the unhealthy group",
    (told) => {
      for (const { before, after } of tell(told)) {
        const isAnew = after.firstRun !== before.firstRun;
        const from = servedPhase(before);
        const wasShadow = from.phase === "shadow" || (from.phase === "paused" && from.from === "shadow");
        const isTakenBack = before.phase === "group" && after.phase === "paused" && after.run !== before.run;
        const isCanary = wasShadow && ["stage", "ramp", "promoting"].includes(after.phase);
        expect(isAnew).toBe(isCanary || isTakenBack);
        expect(after.firstRun).toBe(isAnew ? after.run : before.firstRun);
      }
    },
  );

  test.prop([story])("it leads to states that can be stored, says why each was entered, and tells the same story twice", (told) => {
    const moments = tell(told);
    for (const { before, step, after } of moments) {
      expect(PlanStateSchema.parse(JSON.parse(JSON.stringify(after)))).toEqual(JSON.parse(JSON.stringify(after)));
      const audits = step.ok ? step.effects.filter((effect) => effect.type === "audit") : [];
      expect(audits.every((audit) => audit.reason.trim() !== "")).toBe(true);
      expect(audits.length).toBe(audits.length === 0 && before.phase === after.phase ? 0 : 1);
    }
    expect(tell(told)).toEqual(moments);
  });

  test.prop([story])("left alone, it ends, or is called overdue: no state is without an exit", (told) => {
    let state = tell(told).at(-1)?.after ?? startPlan(0, 3).state;
    const longestMs = Math.max(...Object.values(DEADLINES)) * 3;
    for (let nowMs = 2e12; nowMs < 2e12 + 6 * longestMs; nowMs += longestMs) {
      const step = plan(told.rollout, state, { type: "tick" }, { nowMs });
      if (step.ok) state = step.state;
    }
    const isEnd = state.phase === "rolledBack" || state.phase === "handedOver";
    expect(isEnd || ((state.phase === "promoted" || state.phase === "on") && state.overdue)).toBe(true);
  });
});

test.prop([fc.constantFrom(...Object.values(strategies)), fc.constantFrom<PlanState>(...Object.values(strategyStates)), anyEvent])(
  "a refusal is for operators, and says where the rollout stands",
  (rollout, state, event) => {
    const step = plan(rollout, state, event, { nowMs: 5_000_000 });
    const isVerb = !["tick", "verdict", "receipts"].includes(event.type);
    expect(step.ok || (isVerb && step.refusal.startsWith("checkout is "))).toBe(true);
  },
);

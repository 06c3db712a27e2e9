import { describe, expect, test } from "vitest";
import { courseOf } from "../../../../src/contract/course.ts";
import type { PlanState } from "../../../../src/contract/live.ts";
import { AT_ONCE } from "../../../../src/contract/retreat.ts";
import type { Rollout } from "../../../../src/contract/rollout.ts";
import type { StragglerRule } from "../../../../src/contract/stragglers.ts";
import { DEADLINES } from "../../../../src/core/plan/deadlines.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import { awaitedBy, awaitsReceipts, receiptsByRule, servedAtMs } from "../../../../src/core/plan/stragglers.ts";
import type { PlanEvent, PlanStep } from "../../../../src/core/plan/types.ts";
import { events, rampRollout, rampStates, rollout, SINCE_MS, states, strategies, strategyStates } from "../../../support/plan-inputs.ts";

const AFTER_MS = 30_000;
const by = (action: StragglerRule["action"], known: Rollout = rollout): Rollout => ({ ...known, stragglers: { after: AFTER_MS, action } });

/** Receipts so long after the run was set; of three known sidecars these have not confirmed. */
const heard = (rule: Rollout, state: PlanState, missing: readonly string[], afterMs: number): PlanStep =>
  plan(rule, state, { type: "receipts", missing, known: 3 }, { nowMs: SINCE_MS + afterMs });

const told = (step: PlanStep) =>
  step.ok ? { ...step.state, said: step.effects.map((effect) => "reason" in effect && effect.reason) } : step;

const waiting: readonly [string, Rollout, PlanState][] = [
  ["pending", rollout, states.pending],
  ["a stage", rollout, states.unbegun],
  ["a ramp", rampRollout, rampStates.unbegun],
  ["a holdback", rampRollout, rampStates.holdbackUnbegun],
  ["a promotion", rollout, states.promoting],
];

describe("a run that a sidecar does not confirm", () => {
  test.each(waiting)("%s names it when the wait is longer than a second", (_, known, state) => {
    expect(told(heard(known, state, ["s3"], 999))).toEqual({ ...state, said: [] });
    expect(told(heard(known, state, ["s3"], 1_000))).toEqual({ ...state, missing: ["s3"], said: [] });
  });

  test.each(waiting)("%s waits on where no rule is given, and where the rule says so", (_, known, state) => {
    for (const rule of [known, by("wait", known)])
      expect(told(heard(rule, state, ["s3"], AFTER_MS))).toEqual({ ...state, missing: ["s3"], said: [] });
  });

  test.each(waiting)("%s goes back after the time of the rule, and not before", (_, known, state) => {
    expect(told(heard(by("rollback", known), state, ["s3"], AFTER_MS - 1))).toMatchObject({ phase: state.phase });
    expect(told(heard(by("rollback", known), state, ["s3"], AFTER_MS))).toMatchObject({
      phase: "rollingBack",
      said: [false, "stragglers: s3 did not confirm run 7 within 30s"],
    });
  });

  test.each(waiting)("%s goes on without it after the time of the rule, and not before", (_, known, state) => {
    expect(told(heard(by("goOn", known), state, ["s3"], AFTER_MS - 1))).toEqual({ ...state, missing: ["s3"], said: [] });
    const gone = told(heard(by("goOn", known), state, ["s3"], AFTER_MS));
    expect(gone).toMatchObject({ without: ["s3"] });
    expect(gone).not.toHaveProperty("missing");
    expect(JSON.stringify(gone)).toContain("without stragglers: s3 did not confirm run 7 within 30s");
    expect(gone).not.toMatchObject({ phase: state.phase, begunAtMs: null });
  });

  test("goes on without nobody: one sidecar at least must have confirmed", () => {
    const all = ["s1", "s2", "s3"];
    expect(told(heard(by("goOn"), states.unbegun, all, AFTER_MS))).toEqual({ ...states.unbegun, missing: all, said: [] });
    const unknown: PlanEvent = { type: "receipts", missing: ["no sidecar has reported"] };
    expect(told(plan(by("goOn"), states.pending, unknown, { nowMs: SINCE_MS + AFTER_MS }))).toMatchObject({ phase: "pending" });
  });

  test("counts no wait from before the leader heard anybody", () => {
    const listeningSinceMs = SINCE_MS + 50_000;
    const at = (afterMs: number): unknown =>
      told(
        plan(
          by("rollback"),
          states.unbegun,
          { type: "receipts", missing: ["s3"], known: 3, listeningSinceMs },
          { nowMs: SINCE_MS + afterMs },
        ),
      );
    expect(at(50_000 + AFTER_MS - 1)).toMatchObject({ phase: "stage" });
    expect(at(50_000 + AFTER_MS)).toMatchObject({ phase: "rollingBack" });
  });

  test("is no straggler of a group that has begun", () => {
    const known = by("rollback", strategies.rolling);
    expect(told(heard(known, strategyStates.secondGroup, ["s3"], AFTER_MS))).toMatchObject({ phase: "group" });
    expect(told(heard(known, strategyStates.groupUnbegun, ["s3"], AFTER_MS))).toMatchObject({ phase: "rollingBack" });
  });

  test("counts a ramp's wait from its last share", () => {
    const changed = { ...rampStates.unbegun, changedAtMs: SINCE_MS + 60_000 };
    expect(told(heard(by("rollback", rampRollout), changed, ["s3"], 60_000 + AFTER_MS - 1))).toMatchObject({ phase: "ramp" });
    expect(told(heard(by("rollback", rampRollout), changed, ["s3"], 60_000 + AFTER_MS))).toMatchObject({ phase: "rollingBack" });
  });
});

describe("a sidecar that was left behind", () => {
  const without = { ...states.unbegun, without: ["s3"] };

  test("is not waited for again, and others are", () => {
    expect(told(heard(by("goOn"), without, ["s3"], 0))).toMatchObject({ begunAtMs: SINCE_MS, without: ["s3"] });
    expect(told(heard(by("goOn"), without, ["s2", "s3"], 2_000))).toEqual({ ...without, missing: ["s2"], said: [] });
  });

  test("counts again from its next confirmation on", () => {
    expect(told(heard(by("goOn"), without, ["s2"], 2_000))).not.toHaveProperty("without");
  });

  test("is remembered from stage to stage, and not on the way back, whose list names everybody", () => {
    const begun = { ...states.stage, without: ["s3"] };
    expect(told(plan(rollout, begun, events.promote, { nowMs: SINCE_MS }))).toMatchObject({ phase: "stage", stage: 2, without: ["s3"] });
    expect(told(plan(rollout, begun, events.pause, { nowMs: SINCE_MS }))).toMatchObject({ phase: "paused", without: ["s3"] });
    expect(told(plan(rollout, begun, events.abort, { nowMs: SINCE_MS }))).not.toHaveProperty("without");
  });
});

describe("the way back without a word from somebody", () => {
  const back = (from: PlanState, known: Rollout = rollout): PlanState => {
    const step = plan(known, from, events.abort, { nowMs: SINCE_MS });
    return step.ok ? step.state : from;
  };
  const ended = (state: PlanState): PlanStep => {
    const named = plan(rollout, state, { type: "receipts", missing: ["s3"] }, { nowMs: SINCE_MS });
    return plan(rollout, named.ok ? named.state : state, { type: "tick" }, { nowMs: SINCE_MS + 35_000 });
  };

  test("ends by its deadline and says that nobody knows, and what such a sidecar does by itself", () => {
    expect(told(ended(back(states.stage)))).toEqual({
      phase: "rolledBack",
      run: 8,
      firstRun: 5,
      sinceMs: SINCE_MS + 35_000,
      reason: "wrong build",
      stragglers: ["s3"],
      said: [
        "deadline: 35s went by without a word from s3: nobody knows what is served there; " +
          "a sidecar that hears nothing for 30s sends its shares to stable (wrong build)",
      ],
    });
  });

  test.each([
    ["promoting", rollout, states.promoting],
    ["promoted", rollout, states.promoted],
    ["a stage that is to hold", { ...rollout, onUnwatched: "hold" as const }, states.stage],
  ])("from %s does not claim that such a sidecar goes home", (_, known, state) => {
    expect(told(ended(back(state, known)))).toMatchObject({
      isHeld: true,
      said: [expect.stringContaining("nobody knows what is served there; a sidecar that hears nothing keeps the canary")],
    });
  });

  test("is confirmed late, and the audit says by whom", () => {
    const two = { ...states.rolledBack, stragglers: ["s1", "s2"] };
    expect(told(heard(rollout, two, ["s2", "s3"], 0))).toMatchObject({
      stragglers: ["s2"],
      said: ["the way back, by s1 (or gone for good); not s2"],
    });
    expect(told(heard(rollout, two, [], 0))).toMatchObject({
      stragglers: [],
      said: ["the way back, by s1, s2 (or gone for good); nobody is left"],
    });
  });
});

test("a plan waits for the word of sidecars where a run is to begin, and for the way back", () => {
  const all = { ...states, ...Object.fromEntries(Object.entries(rampStates).map(([name, state]) => [`ramp ${name}`, state])) };
  const names = Object.entries(all).flatMap(([name, state]) => (awaitsReceipts(state) ? [name] : []));
  expect(names).toEqual([
    "pending",
    "unbegun",
    "promoting",
    "rollingBack",
    "rollingBackWithout",
    "rolledBack",
    "ramp unbegun",
    "ramp holdbackUnbegun",
    "ramp promoting",
  ]);
});

test("who is waited for, and since when, is read from the state", () => {
  expect([states.rolledBack, states.rollingBackWithout, states.pending].map(awaitedBy)).toEqual([["s1", "s2"], ["s1", "s2"], []]);
  const back = { ...states.rollingBack, changedAtMs: undefined };
  expect([states.stage, { ...rampStates.ramp, changedAtMs: 5 }, back].map(servedAtMs)).toEqual([SINCE_MS, 5, SINCE_MS]);
});

test("a refusal is handed on", () => {
  const refused = { ok: false, refusal: "no" } as const;
  const known = { ...courseOf(rollout.strategy), rollout: "checkout", grown: "canary", deadlines: DEADLINES, nowMs: SINCE_MS, holds: [] };
  const rule = {
    stragglers: { after: 1, action: "wait" },
    holdsUnwatched: false,
    variants: ["canary"],
    mode: "act",
    promotionGate: undefined,
    mustVouch: false,
    retreat: AT_ONCE,
    shareBp: 0,
    isStopped: false,
  } as const;
  expect(receiptsByRule(states.pending, { type: "receipts", missing: [] }, { ...known, ...rule }, () => refused)).toBe(refused);
});

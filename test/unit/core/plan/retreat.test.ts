import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import type { Rollout } from "../../../../src/contract/rollout.ts";
import type { CheckRecord, VerdictRecord } from "../../../../src/contract/verdict.ts";
import { isJudged } from "../../../../src/core/plan/judged.ts";
import { type Moment, plan } from "../../../../src/core/plan/plan.ts";
import { awaitsReceipts, servedAtMs } from "../../../../src/core/plan/stragglers.ts";
import { type PlanInput, type PlanStep, verdictEvent } from "../../../../src/core/plan/types.ts";
import { events, rollout, SINCE_MS, states, strategies, strategyStates, summary } from "../../../support/plan-inputs.ts";

const stepped = (known: Rollout = rollout): Rollout => ({ ...known, retreat: { step: 2_000, every: 10_000 } });
const at = (state: PlanState, input: PlanInput, moment: Partial<Moment> = {}, known: Rollout = stepped()): PlanStep =>
  plan(known, state, input, { nowMs: SINCE_MS, shareBp: 5_000, ...moment });

const fit: PlanInput = { ...events.rollback, reason: "slow", isFit: true };
const now: PlanInput = { ...events.abort, now: true };
const HOME = "rollingBack, run 8; serve 0 off as run 8; rollback";
const FIRST = "rollingBack, run 8; serve 3000 as run 8; rollback";

describe("where stable can take a fifth of the users at once, the way back from half of them", () => {
  test.each<[string, PlanState, PlanInput, string]>([
    ["an abort", states.stage, events.abort, FIRST],
    ["an undo", states.stage, events.undo, FIRST],
    ["a verdict of a canary that is only slow", states.stage, fit, FIRST],
    ["a deadline", { ...states.paused, sinceMs: 0 }, events.tick, "paused 1, run 7"],
    ["a verdict of one whose requests fail", states.stage, events.rollback, HOME],
    ["an abort that says now", states.stage, now, HOME],
    ["an undo that says now", states.stage, { ...events.undo, now: true }, HOME],
  ])("by %s", (_, state, input, expected) => {
    expect(summary(at(state, input))).toBe(expected);
  });

  test("by a deadline, and by the webhook of a gate, goes in steps too", () => {
    expect(summary(at(states.paused, events.tick, { nowMs: SINCE_MS + 8 * 86_400_000 }))).toBe(FIRST);
    const { pending, stage } = states;
    const asks = { limitMs: 1_000, atLimit: "abort" } as const;
    const to = { state: stage, shareBp: 6_000, action: "stage", reason: "fine", atMs: SINCE_MS };
    const gate: PlanState = { ...pending, phase: "gate", gate: "stage", asks, from: stage, to };
    expect(summary(at(gate, { type: "answer", verdict: "rollback", reason: "no" }))).toBe(FIRST);
  });

  test.each<[string, Partial<Moment>, Partial<Rollout>]>([
    ["a sidecar stopped the canary by itself", { isStopped: true }, {}],
    ["its blast radius is spent", { cost: { failedRequests: 9, failedUsers: 0 } }, { blastRadius: { failedRequests: 9 } }],
  ])("is at once where %s", (_, moment, more) => {
    expect(summary(at(states.stage, fit, moment, { ...stepped(), ...more }))).toBe(HOME);
  });

  test("is at once where nothing came of the canary for long, and the rollout asks for that", () => {
    const silent: Rollout = { ...stepped(), checks: { ...rollout.checks, onNoData: "rollback" } };
    const tick: PlanInput = { type: "tick", last: { reason: "nothing", canaryAtMs: 0 } };
    expect(summary(at(states.stage, tick, { nowMs: SINCE_MS + 3_600_000 }, silent))).toBe(HOME);
  });

  test("is at once where no more users are on the canary than one step, and where nobody is known to be", () => {
    expect(summary(at(states.stage, events.abort, { shareBp: 2_000 }))).toBe(HOME);
    expect(summary(plan(stepped(), states.pending, events.abort, { nowMs: SINCE_MS }))).toBe(HOME);
    expect(summary(at(states.stage, events.abort, {}, rollout))).toBe(HOME);
  });

  test("says how it goes", () => {
    const reason = "in steps of 20% every 10s, to 30% first: wrong build";
    expect(at(states.stage, events.abort)).toMatchObject({ effects: [{}, { action: "rollback", reason }] });
  });

  test("keeps groups of sidecars that are on, and no others", () => {
    const first = at(strategyStates.secondGroup, events.abort, {}, stepped(strategies.rollingHalf));
    expect(first).toMatchObject({ state: { left: { shareBp: 3_000, groups: ["a", "b", "c"], group: 1 } } });
    const next = at(stateOf(first), events.tick, { nowMs: SINCE_MS + 60_000 }, stepped(strategies.rollingHalf));
    expect(next).toMatchObject({ state: { left: { shareBp: 1_000, groups: ["a", "b", "c"], group: 1 } } });
  });
});

const retreating = { ...states.retreating, run: 8, sinceMs: SINCE_MS - 60_000 } as const;
const { left } = retreating;
const unbegun: PlanState = { ...retreating, left: { ...left, begunAtMs: null }, isHeld: true };
const STAYS = "rollingBack, run 8";
const NEXT = "rollingBack, run 9; serve 1000 as run 9; retreat";
const AT_ONCE = "rollingBack, run 9; serve 0 off as run 9; retreat";

function stateOf(step: PlanStep): PlanState {
  if (!step.ok) throw new Error(step.refusal);
  return step.state;
}

describe("a rollout that goes back in steps", () => {
  test.each<[string, PlanState, PlanInput, number, string]>([
    ["stays before stable has had its time", retreating, events.tick, 10_999, STAYS],
    ["takes the next step then", retreating, events.tick, 11_000, NEXT],
    ["waits for a sidecar that has not confirmed", unbegun, events.tick, 44_999, STAYS],
    ["waits no longer than for a way back", unbegun, events.tick, 45_000, NEXT],
    ["goes home with the last step", { ...retreating, left: { ...left, shareBp: 2_000 } }, events.tick, 11_000, AT_ONCE],
    ["goes home at once when requests fail", retreating, events.rollback, 0, AT_ONCE],
    ["goes on when it is only slow", retreating, fit, 0, STAYS],
    ["goes on whatever else is found", retreating, events.advance, 0, STAYS],
    ["goes home at once by another abort", retreating, events.abort, 0, AT_ONCE],
    ["goes home at once by an undo", retreating, events.undo, 0, AT_ONCE],
    ["does not go forward", retreating, events.promote, 0, refusal()],
    ["does not stop", retreating, events.pause, 0, refusal()],
    ["does not go on", retreating, events.resume, 0, refusal()],
    ["is not handed over", retreating, events.handover, 0, refusal()],
  ])("%s", (_, state, input, afterMs, expected) => {
    expect(summary(at(state, input, { nowMs: SINCE_MS + afterMs }))).toBe(expected);
  });

  test("goes home at once when a sidecar stops the canary, and when its blast radius is spent", () => {
    expect(summary(at(retreating, events.tick, { isStopped: true }))).toBe(AT_ONCE);
    const spent = at(
      retreating,
      events.tick,
      { cost: { failedRequests: 9, failedUsers: 0 } },
      { ...stepped(), blastRadius: { failedRequests: 9 } },
    );
    expect([summary(spent), stateOf(spent)]).toMatchObject([
      AT_ONCE,
      { reason: expect.stringMatching(/^errors; then at once: its blast radius/) },
    ]);
  });

  test("is held by nothing", () => {
    const holds = [{ kind: "freeze", reason: "quarter end" }] as const;
    expect(summary(at(retreating, events.tick, { holds, nowMs: SINCE_MS + 11_000 }))).toBe(NEXT);
  });

  test("notes who confirmed, and since when all have", () => {
    expect(stateOf(at(unbegun, events.missing))).toEqual({ ...unbegun, missing: ["s1"] });
    const missing = { ...unbegun, missing: ["s1"] };
    expect(stateOf(at(missing, events.missing))).toBe(missing);
    expect(stateOf(at(missing, events.confirmed))).toEqual({ ...retreating, left: { ...left, begunAtMs: SINCE_MS }, isHeld: true });
    expect(stateOf(at(retreating, events.confirmed))).toBe(retreating);
    expect([unbegun, retreating].map(awaitsReceipts)).toEqual([true, false]);
  });

  test("has its deadline from the last step on, and remembers when it began", () => {
    const home = stateOf(at(unbegun, events.abort, { nowMs: SINCE_MS + 30_000 }));
    expect(home).toMatchObject({ sinceMs: retreating.sinceMs, changedAtMs: SINCE_MS + 30_000, isHeld: true });
    expect(home).not.toHaveProperty("left");
    expect([servedAtMs(home), servedAtMs(states.rollingBack)]).toEqual([SINCE_MS + 30_000, SINCE_MS]);
    expect(summary(at(home, events.tick, { nowMs: SINCE_MS + 64_999 }))).toBe("rollingBack, run 9");
    expect(summary(at(home, events.tick, { nowMs: SINCE_MS + 65_000 }))).toBe("rolledBack, run 9; rolledBack");
  });

  test("is judged until its last step", () => {
    expect([retreating, states.rollingBack, states.stage, states.rolledBack].map(isJudged)).toEqual([true, false, true, false]);
  });
});

function refusal(): string {
  return "refused: checkout is being rolled back: it goes back in steps (errors); abort takes the rest back at once, retry when it is over";
}

describe("a canary that is to go back", () => {
  const check = (name: string, verdict: CheckRecord["verdict"]): CheckRecord => ({
    name,
    verdict,
    weight: 0.2,
    stable: 0,
    canary: 0,
    difference: 0,
    lower: null,
    upper: null,
    threshold: 0,
    odds: 1,
    dispersion: 1,
    stableSample: 360_000,
    canarySample: 360_000,
  });
  /** Half of 200 requests a second, for an hour. */
  const verdictOf = (checks: readonly CheckRecord[], hanging = 0, rate: Pick<VerdictRecord, "rate"> = { rate: 200 }): PlanInput => {
    const record: VerdictRecord = {
      verdict: "rollback",
      reason: "bad",
      proven: "",
      odds: 200,
      alpha: 0.01,
      safeShareBp: 0,
      checks: [...checks],
      unended: { stable: 0, canary: hanging },
      atMs: 0,
      sinceMs: 0,
      run: 7,
      runSample: 360_000,
      ...rate,
      inputs: "",
    };
    return verdictEvent(record);
  };
  const slow = check("slow p90", "rollback");

  test.each<[string, string, readonly CheckRecord[], number]>([
    [FIRST, "is slower", [slow, check("errors", "unknown")], 0],
    [FIRST, "is slower in several ways, of which none suffices alone", [check("slow p90", "hold"), check("slow p50", "hold")], 0],
    [FIRST, "sells less", [check("orders", "rollback"), check("errors", "advance")], 50],
    [HOME, "fails requests", [check("slow p90", "advance"), check("errors", "rollback")], 0],
    [HOME, "is slower and perhaps fails requests", [slow, check("errors", "hold")], 0],
    [HOME, "makes users fail", [check("newly failing users", "rollback")], 0],
    [HOME, "misses an objective that no check is about", [check("slow p90", "advance")], 0],
    [HOME, "hangs for a second, after an hour in which it did not", [slow], 100],
    [HOME, "hangs in a tenth of what it was given of late", [slow], 51],
    [HOME, "hangs, of which nothing has ended", [], 1],
  ])("%s, where it %s", (expected, _, checks, hanging) => {
    expect(summary(at(states.stage, verdictOf(checks, hanging)))).toBe(expected);
  });

  test("is not fit where it hangs and nobody knows of how many requests", () => {
    expect(summary(at(states.stage, verdictOf([slow], 1, {})))).toBe(HOME);
    expect(summary(at(states.stage, verdictOf([slow], 0, {})))).toBe(FIRST);
  });

  test("goes home at once in the midst of steps when it begins to hang", () => {
    const moment = { shareBp: 3_000 };
    expect(summary(at(retreating, verdictOf([slow], 30), moment))).toBe(STAYS);
    expect(summary(at(retreating, verdictOf([slow], 31), moment))).toBe(AT_ONCE);
  });
});

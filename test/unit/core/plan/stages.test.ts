import { describe, expect, test } from "vitest";
import type { Rollout } from "../../../../src/contract/rollout.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import { calm, events, rollout, SINCE_MS, states, stepOf, summary, who } from "../../../support/plan-inputs.ts";

const earned = { type: "verdict", verdict: "advance", safeShareBp: 5_000, runSample: 100, reason: "fine", ...calm } as const;
const BEGUN_MS = 10_000;
const MIN_MS = 60_000;

describe("a stage is passed when all of it is earned", () => {
  test.each([
    { title: "the next share, when time, sample and safe share suffice", event: earned, afterMs: BEGUN_MS + MIN_MS, to: "stage 2" },
    { title: "not before the minimum time since the receipts", event: earned, afterMs: BEGUN_MS + MIN_MS - 1, to: "stage 1" },
    { title: "not one outcome short", event: { ...earned, runSample: 99 }, afterMs: BEGUN_MS + MIN_MS, to: "stage 1" },
    { title: "not when the next share is not safe", event: { ...earned, safeShareBp: 4_999 }, afterMs: BEGUN_MS + MIN_MS, to: "stage 1" },
    { title: "not on hold, however good the figures", event: { ...earned, verdict: "hold" }, afterMs: BEGUN_MS + MIN_MS, to: "stage 1" },
    { title: "not on unknown", event: { ...earned, verdict: "unknown" }, afterMs: BEGUN_MS + MIN_MS, to: "stage 1" },
    { title: "not when a clock went back", event: earned, afterMs: -3_600_000, to: "stage 1" },
  ] as const)("$title", ({ event, afterMs, to }) => {
    const step = stepOf(states.stage, event, afterMs);
    expect(summary(step)).toMatch(new RegExp(`^${to}, `));
  });

  test("not before the receipts are in, however long it takes", () => {
    expect(summary(stepOf(states.unbegun, earned, MIN_MS * 60))).toBe("stage 1, run 7");
  });

  test("the last stage needs a canary that is safe for everyone", () => {
    const afterMs = BEGUN_MS + MIN_MS;
    expect(summary(stepOf(states.lastStage, { ...earned, safeShareBp: 9_999 }, afterMs))).toBe("stage 2, run 7");
    expect(summary(stepOf(states.lastStage, { ...earned, safeShareBp: 10_000 }, afterMs))).toBe(
      "promoting, run 8; serve 10000 as run 8; promoting",
    );
  });

  test("of several variants all shares together must be safe", () => {
    const stages = [{ share: 500 }, { share: 1_000 }, { share: 2_000, shares: { b: 2_500 } }].map((stage) => ({
      ...stage,
      minTime: MIN_MS,
      minSample: 100,
    }));
    const several: Rollout = { ...rollout, strategy: { type: "canary", stages } };
    const at = (safeShareBp: number): string =>
      summary(plan(several, states.stage, { ...earned, safeShareBp }, { nowMs: SINCE_MS + BEGUN_MS + MIN_MS }));
    expect([at(4_499), at(4_500)]).toEqual(["stage 1, run 7", "stage 2, run 8; serve 2000 as run 8; stage"]);
  });

  test("the audit names stage and figures", () => {
    expect(stepOf(states.stage, { ...earned, reason: "errors 0.1 % on both" }, BEGUN_MS + MIN_MS)).toMatchObject({
      effects: [{ type: "serve" }, { type: "audit", action: "stage", reason: "stage 3 of 3: errors 0.1 % on both" }],
    });
  });
});

describe("a stage that the plan does not have", () => {
  const lost = { ...states.stage, stage: 9 };

  test("is never passed by a verdict", () => {
    expect(summary(stepOf(lost, { ...earned, safeShareBp: 10_000 }, MIN_MS * 60))).toBe("stage 9, run 7");
  });

  test("is left by its deadline", () => {
    expect(summary(stepOf(lost, events.tick, 86_400_000))).toBe("paused 9, run 7; paused");
  });
});

describe("times are stamped", () => {
  test("a stage begins anew with its run, and waits for its own receipts", () => {
    const step = stepOf(states.stage, events.promote, 5_000);
    expect(step).toMatchObject({ state: { phase: "stage", run: 8, firstRun: 5, sinceMs: SINCE_MS + 5_000, begunAtMs: null } });
  });

  test("the minimum time counts from the receipts", () => {
    expect(stepOf(states.unbegun, events.confirmed, 5_000)).toMatchObject({ state: { sinceMs: SINCE_MS, begunAtMs: SINCE_MS + 5_000 } });
  });

  test("a resumed stage waits its minimum time again, from the next look at the receipts", () => {
    expect(stepOf(states.paused, events.resume, 5_000)).toMatchObject({ state: { run: 7, sinceMs: SINCE_MS + 5_000, begunAtMs: null } });
  });
});

describe("reasons always say something", () => {
  test.each([
    { state: "stage", event: { type: "pause", who, reason: " " }, reason: "paused by the operator" },
    { state: "promoting", event: { type: "pause", who, reason: "" }, reason: "paused by the operator" },
    { state: "stage", event: { type: "abort", who, reason: "" }, reason: "aborted" },
    { state: "stage", event: { ...events.rollback, reason: "" }, reason: "verdict" },
    { state: "stage", event: events.abort, reason: "wrong build" },
    { state: "paused", event: events.rollback, reason: "errors" },
  ] as const)("$state gets `$reason`", ({ state, event, reason }) => {
    expect(stepOf(states[state], event)).toMatchObject({ state: { reason } });
  });
});

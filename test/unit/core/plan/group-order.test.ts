import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import type { Rollout, RolloutInput } from "../../../../src/contract/rollout.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import type { PlanStep } from "../../../../src/core/plan/types.ts";
import { summary, withStrategy } from "../../../support/plan-inputs.ts";

const ordered = (stragglers?: RolloutInput["stragglers"]): Rollout =>
  withStrategy({ type: "rolling", by: "zone", order: ["south", "north", "east"] }, stragglers && { stragglers });
const pending: PlanState = { phase: "pending", run: 7, firstRun: 7, sinceMs: 0 };
const SOUTH = "a sidecar with zone=south";

const receipts = (rollout: Rollout, state: PlanState, groups: readonly string[], nowMs: number): PlanStep =>
  plan(rollout, state, { type: "receipts", missing: [], known: 2, groups }, { nowMs });
const stateOf = (step: PlanStep): PlanState => {
  if (!step.ok) throw new Error(step.refusal);
  return step.state;
};

describe("a plan that orders groups of sidecars", () => {
  test("begins with none before all are there that it names, and says for whom it waits", () => {
    const waiting = receipts(ordered(), pending, ["east", "north"], 1_000);
    expect(waiting).toEqual({ ok: true, state: { ...pending, missing: [SOUTH] }, effects: [] });
    expect(receipts(ordered(), stateOf(waiting), ["south", "north", "east", "west"], 2_000)).toMatchObject({
      state: { phase: "group", groups: ["south", "north", "east", "west"], group: 0 },
    });
  });

  test("goes back at the deadline, and names whom it waited for", () => {
    const waiting = stateOf(receipts(ordered(), pending, ["east", "north"], 1_000));
    expect(plan(ordered(), waiting, { type: "tick" }, { nowMs: 600_000 })).toMatchObject({
      state: { phase: "rollingBack", reason: `deadline: not every known sidecar confirmed the rules within 10m, not ${SOUTH}` },
    });
  });

  test.each([
    { action: "goOn", to: "group, run 8; serve 10000 as run 8; group" },
    { action: "rollback", to: "rollingBack, run 8; serve 0 off as run 8; rollback" },
    { action: "wait", to: "pending, run 7" },
  ] as const)("has its rule for stragglers: $action", ({ action, to }) => {
    const rollout = ordered({ after: "30s", action });
    expect(summary(receipts(rollout, pending, ["north"], 29_999))).toBe("pending, run 7");
    expect(summary(receipts(rollout, pending, ["north"], 30_000))).toBe(to);
  });

  test("that went on without some gives them their place when they come, where that is not over", () => {
    const begun = stateOf(receipts(ordered({ after: "30s", action: "goOn" }), pending, ["north"], 30_000));
    expect(begun).toMatchObject({ groups: ["north"], group: 0 });
    const more = stateOf(receipts(ordered(), begun, ["north", "west"], 31_000));
    expect(more).toMatchObject({ groups: ["north", "west"] });
    expect(receipts(ordered(), more, ["south", "north", "east", "west"], 32_000)).toMatchObject({
      state: { groups: ["north", "south", "east", "west"], group: 0 },
    });
  });

  test("waits for none on the way back to a version that everyone had", () => {
    expect(summary(receipts(ordered(), { ...pending, atOnce: true }, [], 0))).toBe("promoting, run 8; serve 10000 as run 8; promoting");
  });
});

import { describe, expect, test } from "vitest";
import type { LiveState } from "../../../../src/contract/live.ts";
import type { Rollout } from "../../../../src/contract/rollout.ts";
import { PRESETS } from "../../../../src/contract/stages.ts";
import { startJudge } from "../../../../src/core/judge/judge.ts";
import { policyOf } from "../../../../src/core/judge/policy.ts";
import { askedOf, questionsOf } from "../../../../src/core/judge/questions.ts";
import { recordOf } from "../../../../src/core/judge/record.ts";
import { startPlan } from "../../../../src/core/plan/start.ts";
import { policy, SINCE_MS } from "../../../support/judge-inputs.ts";
import { rollout } from "../../../support/plan-inputs.ts";

describe("what is asked", () => {
  test("is answered by a record before any batch: nothing is known, and all is even", () => {
    const record = recordOf(policy, questionsOf(policy), startJudge(SINCE_MS));
    expect(record).toMatchObject({ verdict: "unknown", proven: "nothing yet", safeShareBp: 0, inputs: "" });
    expect(record).not.toHaveProperty("rate");
    expect(record.odds).toBeCloseTo(1, 12);
  });

  test("must be something about errors", () => {
    expect(() => recordOf(policy, [], startJudge(SINCE_MS))).toThrow("a judge without a question about errors");
  });

  test("keeps its weight where there is no second question to join it", () => {
    const [newly] = questionsOf(policy);
    const [asked] = askedOf(newly === undefined ? [] : [newly], { knowsUsers: false });
    expect(asked).toEqual({ ...newly, name: "errors" });
  });
});

test.each([
  { preset: "careful", alpha: 0.001 },
  { preset: "standard", alpha: 0.01 },
  { preset: "fast", alpha: 0.01 },
] as const)("the checks' preset `$preset` errs in $alpha of all rollouts, unless the file says how often", ({ preset, alpha }) => {
  const { state } = startPlan(SINCE_MS, 1);
  const checks = { ...rollout.checks, preset };
  expect(policyOf({ ...rollout, checks }, state).alpha).toBe(alpha);
  expect(policyOf({ ...rollout, checks: { ...checks, alpha: 0.05 } }, state).alpha).toBe(0.05);
});

describe("the minimum sample", () => {
  const canary = { ...rollout, strategy: { use: "fast" as const } };
  const { state } = startPlan(SINCE_MS, 1);
  const inStage = { ...state, phase: "stage", stage: 2, sinceMs: SINCE_MS } as LiveState["plan"]; // Only its stage is read.
  const promoted = { ...state, phase: "promoted" } as LiveState["plan"]; // Only its phase is read.

  test("is that of the first stage before it begins, of the stage it is in, and of the last one after all", () => {
    const { fast } = PRESETS;
    expect([state, inStage, promoted].map((each) => policyOf(canary, each).minSample)).toEqual(
      [fast[0], fast[2], fast.at(-1)].map((stage) => stage?.minSample),
    );
  });

  test("is one outcome in a ramp", () => {
    const ramp = { ...rollout, strategy: { type: "canary", ramp: { preset: "standard" } } } as unknown as Rollout; // Only that it has no stages is read.
    expect(policyOf(ramp, state).minSample).toBe(1);
  });

  test("stands beside the objective, where the file names one", () => {
    const checks = { ...rollout.checks, errors: { ...rollout.checks.errors, objective: 0.01 } };
    expect([policyOf({ ...rollout, checks }, state).errorObjective, policyOf(rollout, state).errorObjective]).toEqual([0.01, undefined]);
  });
});

import { expect, test } from "vitest";
import { policyOf } from "../../../../src/core/judge/policy.ts";
import { strategies, strategyStates } from "../../../support/plan-inputs.ts";

test.each([
  { title: "a preview that a verdict leaves asks for its own", strategy: "onVerdict", state: "preview", minSample: 100 },
  { title: "one that a person leaves asks for one outcome", strategy: "byHand", state: "preview", minSample: 1 },
  { title: "one by order of the plan too", strategy: "byOrder", state: "preview", minSample: 1 },
  { title: "a group asks for its own", strategy: "rolling", state: "firstGroup", minSample: 100 },
  { title: "a shadow asks for its own", strategy: "mirror", state: "shadow", minSample: 100 },
  { title: "its rules that go out too", strategy: "mirror", state: "pending", minSample: 100 },
  { title: "a paused one too", strategy: "mirrorRamp", state: "pausedShadow", minSample: 100 },
  { title: "a test asks for one outcome", strategy: "test", state: "trial", minSample: 1 },
] as const)("$title", ({ strategy, state, minSample }) => {
  expect(policyOf(strategies[strategy], strategyStates[state]).minSample).toBe(minSample);
});

test("a shadow is asked about 4xx in place of the rollout's own checks, and its traffic says nothing about shares", () => {
  const { own, isRamp } = policyOf(strategies.mirrorRamp, strategyStates.shadow);
  expect([own?.map(({ name }) => name), isRamp]).toEqual([["4xx answers"], false]);
  expect(policyOf(strategies.mirrorRamp, { phase: "pending", run: 3, firstRun: 3, sinceMs: 0, atOnce: true })).toMatchObject({
    own: [],
    isRamp: true,
  });
});

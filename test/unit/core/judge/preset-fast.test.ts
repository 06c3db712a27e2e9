import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import { PRESETS } from "../../../../src/contract/stages.ts";
import { judge, startJudge } from "../../../../src/core/judge/judge.ts";
import { plan, startPlan } from "../../../../src/core/plan/plan.ts";
import type { PlanEvent } from "../../../../src/core/plan/types.ts";
import { policy, SINCE_MS } from "../../../support/judge-inputs.ts";
import { rollout } from "../../../support/plan-inputs.ts";
import { binomial, randomOf } from "../../../support/random.ts";
import { type Behaviour, outcomes } from "../../../support/traffic.ts";

const TICK_MS = 250;
const PER_TICK = 175;
const fast = { ...rollout, strategy: { use: "fast" as const } };
const good: Behaviour = { failing: 0.001, medianMs: 20 };

/** Plan and judge together at 700 requests a second until the rollout is promoted or on its way back: in which second each phase began. */
function rollOut(seed: number, canary: Behaviour): { phase: PlanState["phase"]; atS: number; seen: Record<string, number> } {
  const random = randomOf(seed);
  const seen: Record<string, number> = {};
  let nowMs = SINCE_MS;
  let share = 0;
  let { state } = startPlan(nowMs, 1);
  let judging = startJudge(nowMs);
  const happen = (event: PlanEvent): void => {
    const step = plan(fast, state, event, nowMs);
    if (!step.ok) throw new Error(step.refusal);
    state = step.state;
    seen["stage" in state ? `stage ${state.stage}` : state.phase] ??= (nowMs - SINCE_MS) / 1_000;
    for (const effect of step.effects) if (effect.type === "serve") share = effect.shareBp / 10_000;
  };
  while (nowMs < SINCE_MS + 300_000 && state.phase !== "promoted" && state.phase !== "rollingBack") {
    nowMs += TICK_MS;
    happen({ type: "receipts", missing: [] });
    const shared = binomial(random, PER_TICK, share);
    const minSample = PRESETS.fast["stage" in state ? state.stage : 0]?.minSample ?? 1;
    const batch = { stable: outcomes(random, PER_TICK - shared, good), canary: outcomes(random, shared, canary) };
    const judged = judge({ ...policy, minSample }, judging, { nowMs, run: state.run, runCanary: shared, ...batch });
    judging = judged.state;
    happen({ type: "verdict", ...judged.record });
  }
  return { phase: state.phase, atS: (nowMs - SINCE_MS) / 1_000, seen };
}

const seeds = Array.from({ length: 50 }, (_, index) => index + 1);

describe("the preset `fast` at 700 requests a second", () => {
  test("promotes a good canary within 60 s, in 50 of 50 rollouts", () => {
    const ends = seeds.map((seed) => rollOut(seed, good));
    expect(new Set(ends.map(({ phase }) => phase))).toEqual(new Set(["promoted"]));
    expect(Math.max(...ends.map(({ atS }) => atS))).toBeLessThanOrEqual(60);
  }, 30_000);

  test("stays at least 10 s in each of its stages", () => {
    const { seen } = rollOut(1, good);
    expect(seen).toEqual({ "stage 0": 0.25, "stage 1": 10.5, "stage 2": 20.75, "stage 3": 31, promoting: 41.25, promoted: 41.5 });
  });

  test.each([
    { title: "that fails always, within 2 s", canary: { failing: 1, medianMs: 5 }, withinS: 2 },
    { title: "that fails once in twenty, within 40 s", canary: { failing: 0.05, medianMs: 20 }, withinS: 40 },
    { title: "that is five times as slow, within 15 s", canary: { failing: 0.001, medianMs: 100 }, withinS: 15 },
    { title: "that is twice as slow, before it is promoted", canary: { failing: 0.001, medianMs: 40 }, withinS: 40 },
  ])(
    "takes back a canary $title",
    ({ canary, withinS }) => {
      const ends = seeds.slice(0, 20).map((seed) => rollOut(seed, canary));
      expect(new Set(ends.map(({ phase }) => phase))).toEqual(new Set(["rollingBack"]));
      expect(Math.max(...ends.map(({ atS }) => atS))).toBeLessThanOrEqual(withinS);
    },
    30_000,
  );
});

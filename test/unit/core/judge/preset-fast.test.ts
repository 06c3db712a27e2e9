import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import { PRESETS } from "../../../../src/contract/stages.ts";
import { judge, startJudge } from "../../../../src/core/judge/judge.ts";
import { policyOf } from "../../../../src/core/judge/policy.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import { startPlan } from "../../../../src/core/plan/start.ts";
import type { PlanEvent } from "../../../../src/core/plan/types.ts";
import { SINCE_MS } from "../../../support/judge-inputs.ts";
import { rollout } from "../../../support/plan-inputs.ts";
import { binomial, randomOf } from "../../../support/random.ts";
import { type Behaviour, outcomes } from "../../../support/traffic.ts";

const TICK_MS = 250;
const PER_TICK = 175;
/** The tolerances of a rollout that names none. */
const given = policyOf(rollout, startPlan(SINCE_MS, 1).state);
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
    const step = plan(fast, state, event, { nowMs });
    if (!step.ok) throw new Error(step.refusal);
    state = step.state;
    seen["stage" in state ? `stage ${state.stage}` : state.phase] ??= (nowMs - SINCE_MS) / 1_000;
    for (const effect of step.effects) if (effect.type === "serve") share = effect.shareBp / 10_000;
  };
  while (nowMs < SINCE_MS + 600_000 && state.phase !== "promoted" && state.phase !== "rollingBack") {
    nowMs += TICK_MS;
    happen({ type: "receipts", missing: [] });
    const shared = binomial(random, PER_TICK, share);
    const minSample = PRESETS.fast["stage" in state ? state.stage : 0]?.minSample ?? 1;
    const batch = { stable: outcomes(random, PER_TICK - shared, good), canary: outcomes(random, shared, canary) };
    const judged = judge({ ...given, minSample }, judging, { nowMs, run: state.run, runCanary: shared, ...batch });
    judging = judged.state;
    happen({ type: "verdict", ...judged.record });
  }
  return { phase: state.phase, atS: (nowMs - SINCE_MS) / 1_000, seen };
}

const seeds = Array.from({ length: 24 }, (_, index) => index + 1);

describe("the preset `fast` at 700 requests a second", () => {
  // A canary is cold for a minute; what it shows of slowness is proof only from then on, and at 1 % only 7 requests a second prove it.
  test("promotes a good canary, within 5 minutes in the median of 24 rollouts, and all in the end", () => {
    const ends = seeds.map((seed) => rollOut(seed, good));
    expect(new Set(ends.map(({ phase }) => phase))).toEqual(new Set(["promoted"]));
    expect(ends.map(({ atS }) => atS).toSorted((x, y) => x - y)[ends.length / 2]).toBeLessThanOrEqual(90);
  }, 120_000);

  test("stays at least 10 s in each of its stages", () => {
    const { seen } = rollOut(1, good);
    const atS = Object.values(seen);
    expect(Object.keys(seen)).toEqual(["stage 0", "stage 1", "stage 2", "stage 3", "promoting", "promoted"]);
    expect(Math.min(...atS.slice(1, -1).map((each, index) => each - Number(atS[index])))).toBeGreaterThanOrEqual(10);
  }, 30_000);

  test.each([
    { title: "that fails always, within 3 s", canary: { failing: 1, medianMs: 5 }, withinS: 3 },
    { title: "that fails once in twenty, within 60 s", canary: { failing: 0.05, medianMs: 20 }, withinS: 60 },
    { title: "that is five times as slow, when it has had its minute to warm up", canary: { failing: 0.001, medianMs: 100 }, withinS: 75 },
    { title: "that is twice as slow, before it leaves 1 %", canary: { failing: 0.001, medianMs: 40 }, withinS: 120 },
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

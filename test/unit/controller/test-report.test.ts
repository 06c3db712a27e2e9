import { expect, test } from "vitest";
import type { PlanState } from "../../../src/contract/live.ts";
import { VariantReportSchema } from "../../../src/contract/variant-report.ts";
import { startJudging } from "../../../src/controller/judging.ts";
import { withReport } from "../../../src/controller/test-report.ts";
import { liveOf, rolloutOf } from "./builders.ts";

const served = { run: 2, firstRun: 1, sinceMs: 0 };
const trial: PlanState = { phase: "trial", ...served, begunAtMs: 0 };
const decision: PlanState = { phase: "decision", ...served };

const totals = { decided: 1_000, settled: 1_000, requests: 1_000, failed: 0, latency: [], own: {} };
const seat = {
  rollout: rolloutOf("cart", { strategy: { type: "abTest", shares: { canary: "30%" }, time: "14d" } }),
  live: liveOf("cart", trial),
  judging: { ...startJudging(1, 0), variants: { stable: totals, canary: { ...totals, failed: 50 } } },
};

test("the step that ends a test brings its report, in words and whole", () => {
  const effects = withReport(seat, { state: decision, effects: [] }).effects;
  expect(effects).toMatchObject([{ action: "report", reason: "errors higher on canary by +3.75 to +6.53 points" }]);
  const [report] = effects.map((effect) => ("detail" in effect ? VariantReportSchema.parse(effect.detail) : undefined));
  expect(report?.isFinal).toBe(true);
});

test("where nothing differs it says so", () => {
  const same = { ...seat, judging: startJudging(1, 0) };
  expect(withReport(same, { state: decision, effects: [] }).effects).toMatchObject([
    { reason: "no variant is shown to differ from stable" },
  ]);
});

test("no other step brings one", () => {
  const change = { state: trial, effects: [] };
  expect(withReport(seat, change)).toBe(change);
  expect(withReport({ ...seat, live: liveOf("cart", decision) }, { state: decision, effects: [] }).effects).toEqual([]);
});

import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../src/contract/live.ts";
import { startJudging } from "../../../src/controller/judging.ts";
import { spansAfter } from "../../../src/controller/rollout-spans.ts";
import { liveOf, planState, rolloutOf } from "./builders.ts";

const at = (plan: PlanState, shareBp = 1_000) => ({
  name: "cart",
  rollout: rolloutOf("cart"),
  live: liveOf("cart", plan, { shareBp }),
  judging: startJudging(1, 500),
});
const stage: PlanState = { phase: "stage", run: 3, firstRun: 1, sinceMs: 1_000, stage: 0, begunAtMs: 1_000 };

describe("spans of a rollout", () => {
  test("that moves on: the phase that is over, as a child of the rollout", () => {
    const [span, ...more] = spansAfter(at(planState("promoting")), stage, 9_000);
    expect(more).toEqual([]);
    expect(span).toMatchObject({
      name: "stage 1",
      startMs: 1_000,
      endMs: 9_000,
      attributes: { "serin.rollout": "cart", "serin.attempt": 1, "serin.phase": "stage", "serin.run": 3, "serin.stage": 1 },
    });
    expect(span?.parent?.traceId).toBe(span?.ids?.traceId);
  });

  test("that ends: the rollout too, from the begin of its evidence, with what became of it", () => {
    const [phase, whole] = spansAfter(at(planState("rolledBack"), 0), planState("rollingBack"), 9_000);
    expect(whole).toMatchObject({
      name: "rollout cart",
      startMs: 0,
      endMs: 9_000,
      attributes: { "deployment.name": "cart", "deployment.id": "cart/1", "deployment.status": "failed", "serin.share": 0 },
      ids: phase?.parent,
      error: "errors",
    });
    const [, good] = spansAfter(at(planState("handedOver")), planState("promoted"), 9_000);
    expect([good?.attributes["deployment.status"], good?.error]).toEqual(["succeeded", undefined]);
  });

  test("none where it stays where it is, and none of what rested", () => {
    expect(spansAfter(at(stage), stage, 9_000)).toEqual([]);
    expect(spansAfter(at(planState("pending")), planState("rolledBack"), 9_000)).toEqual([]);
  });

  test("have ids of 32 and 16 hex digits, the same whoever leads, and others for another attempt, run, phase or begin", () => {
    const idsOf = (before: PlanState) => spansAfter(at(planState("paused")), before, 9_000)[0]?.ids;
    expect(idsOf(stage)).toEqual(idsOf({ ...stage }));
    const all = [stage, { ...stage, run: 4 }, { ...stage, firstRun: 2 }, { ...stage, sinceMs: 2_000 }, planState("promoting")].map((each) =>
      idsOf(each as PlanState),
    );
    expect(new Set(all.map((ids) => ids?.spanId)).size).toBe(5);
    expect(new Set(all.map((ids) => ids?.traceId)).size).toBe(2);
    for (const ids of all) expect(`${ids?.traceId} ${ids?.spanId}`).toMatch(/^[0-9a-f]{32} [0-9a-f]{16}$/);
  });
});

import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../src/contract/live.ts";
import { LATENCY_BOUNDS_MS } from "../../../src/contract/names.ts";
import type { Point } from "../../../src/controller/evidence-points.ts";
import { judgeReports, startJudging } from "../../../src/controller/judging.ts";
import { strategies } from "../../support/plan-inputs.ts";
import { pointOf, rolloutOf } from "./builders.ts";

const rollout = { ...strategies.mirror, name: "cart" };
const plan: PlanState = { phase: "shadow", run: 3, firstRun: 3, sinceMs: 0 };
const none: readonly number[] = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);

interface Answers {
  readonly ok?: number;
  readonly refused?: number;
  readonly failed?: number;
  /** Bucket of all times; nothing is told of them when absent. */
  readonly bucket?: number;
}

/** What sidecars told of one variant. */
function pointsOf(variant: string, { ok = 0, refused = 0, failed = 0, bucket }: Answers): Point[] {
  const point = (measure: Point["measure"], values: readonly number[]): Point =>
    pointOf({ series: `${measure}|${variant}`, measure, variant, values });
  const times = none.map((_, at) => (at === bucket ? ok + refused + failed : 0));
  return [
    point("ok", [ok]),
    point("refused", [refused]),
    point("failed", [failed]),
    ...(bucket === undefined ? [] : [point("latency", times)]),
  ];
}

/** Ten messages, 5 s apart, each with so many answers more. */
function judged(shadow: Answers, shadowed: Answers, change: Partial<PlanState> = {}) {
  let judging = startJudging(3, 0);
  const scene = { rollout, plan: { ...plan, ...change } as PlanState, shareBp: 0 };
  const times = (answers: Answers, count: number): Answers => ({
    ok: count * (answers.ok ?? 0),
    refused: count * (answers.refused ?? 0),
    failed: count * (answers.failed ?? 0),
    ...(answers.bucket !== undefined && { bucket: answers.bucket }),
  });
  for (let sequence = 1; sequence <= 10; sequence += 1) {
    const points = [...pointsOf("shadow", times(shadow, sequence)), ...pointsOf("shadowed", times(shadowed, sequence))];
    judging = judgeReports(judging, scene, [{ sidecar: "side", report: { sequence, points, unreadable: 0 } }], sequence * 5_000);
  }
  return judging;
}

describe("a shadow is judged against stable's answers to the same requests, and", () => {
  test("passes when it is no worse", () => {
    const { verdict, tally } = judged({ ok: 100, bucket: 4 }, { ok: 100, bucket: 4 });
    expect(verdict).toMatchObject({ verdict: "advance", runSample: 1_000, run: 3 });
    expect(verdict?.safeShareBp).toBeGreaterThanOrEqual(500);
    expect(tally.totals.canary).toEqual({ decided: 0, settled: 0, requests: 0, failed: 0 });
    expect(tally.totals.stable.requests).toBe(0);
  });

  test.each([
    { title: "fails", shadow: { ok: 60, failed: 40, bucket: 4 }, says: "errors" },
    { title: "is slow", shadow: { ok: 100, bucket: 12 }, says: "slow" },
    { title: "refuses what stable does not", shadow: { ok: 50, refused: 50, bucket: 4 }, says: "4xx answers" },
  ])("is called harmful when it $title", ({ shadow, says }) => {
    const { verdict } = judged(shadow, { ok: 100, bucket: 4 });
    expect(verdict?.verdict).toBe("rollback");
    expect(verdict?.reason).toContain(says);
  });

  test("is not blamed for what stable answers too", () => {
    const same = { ok: 40, refused: 30, failed: 30, bucket: 4 };
    expect(judged(same, same).verdict?.verdict).not.toBe("rollback");
  });

  test("does not pass while nothing is told of how fast it is", () => {
    expect(judged({ ok: 100 }, { ok: 100, bucket: 4 }).verdict).toMatchObject({ verdict: "unknown", safeShareBp: 0 });
  });

  test("says nothing of users: once some get the canary it is not judged any more", () => {
    const { verdict, variants } = judged({ failed: 100, bucket: 4 }, { ok: 100, bucket: 4 }, { phase: "stage", stage: 0, begunAtMs: 0 });
    expect(verdict).toBeNull();
    expect(variants["shadow"]).toMatchObject({ requests: 1_000, failed: 1_000 });
  });
});

test("a variant that is called like it, of any other strategy, is one of its variants", () => {
  const variants = { stable: { cluster: "a" }, shadow: { cluster: "b" } };
  const other = rolloutOf("cart", { variants });
  const points = pointsOf("shadow", { ok: 10, bucket: 4 });
  const scene = {
    rollout: other,
    plan: { phase: "stage", run: 3, firstRun: 3, sinceMs: 0, stage: 0, begunAtMs: 0 } as const,
    shareBp: 1_000,
  };
  const { tally } = judgeReports(startJudging(3, 0), scene, [{ sidecar: "side", report: { sequence: 1, points, unreadable: 0 } }], 5_000);
  expect(tally.totals.canary.requests).toBe(10);
});

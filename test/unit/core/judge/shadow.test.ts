import { describe, expect, test } from "vitest";
import type { CheckRecord, VerdictRecord } from "../../../../src/contract/verdict.ts";
import { startJudge } from "../../../../src/core/judge/judge.ts";
import { knowingTimes } from "../../../../src/core/judge/shadow.ts";

const check = (name: string, canary: number | null): CheckRecord => ({
  ...{ name, weight: 0.5, stable: canary, canary, difference: null, lower: null, upper: null },
  ...{ threshold: 0.01, odds: 1, dispersion: 1, stableSample: 600, canarySample: 600 },
  verdict: "hold",
});
const record = (verdict: VerdictRecord["verdict"], slow: number | null): VerdictRecord => ({
  ...{ verdict, reason: "no worse", proven: "", odds: 1, alpha: 0.01, inputs: "", safeShareBp: 2_000 },
  ...{ unended: { stable: 0, canary: 0 }, atMs: 1_000, sinceMs: 0, run: 3, runSample: 600 },
  checks: [check("errors", 0), check("slow p50", slow)],
});
const { stable, canary } = startJudge(0);
const timed = { stable: { ...stable, latency: [600] }, canary: { ...canary, latency: [600] } };

describe("a shadow that would pass", () => {
  test("passes when its times were judged", () => {
    expect(knowingTimes(record("advance", 0), timed)).toEqual(record("advance", 0));
  });

  test("is held while there are too few times to judge them", () => {
    expect(knowingTimes(record("advance", null), timed)).toMatchObject({
      verdict: "hold",
      safeShareBp: 0,
      reason: expect.stringContaining("too few times"),
    });
  });

  test("is unknown where nothing tells its times", () => {
    expect(knowingTimes(record("advance", null), { stable, canary })).toMatchObject({ verdict: "unknown", safeShareBp: 0 });
  });
});

test("a shadow that is harmful goes back without times", () => {
  expect(knowingTimes(record("rollback", null), { stable, canary })).toEqual(record("rollback", null));
});

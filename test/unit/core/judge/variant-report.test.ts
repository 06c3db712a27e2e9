import { describe, expect, test } from "vitest";
import { LATENCY_BOUNDS_MS } from "../../../../src/contract/names.ts";
import { RolloutSchema } from "../../../../src/contract/rollout.ts";
import { VariantReportSchema, type VariantTotals } from "../../../../src/contract/variant-report.ts";
import { variantReport } from "../../../../src/core/judge/variant-report.ts";

const rollout = RolloutSchema.parse({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name: "cart",
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "v1" }, a: { cluster: "v2" }, b: { cluster: "v3" } },
  strategy: { type: "abTest", shares: { a: "20%", b: "20%" }, time: "14d" },
  checks: {
    own: [
      { name: "orders", prometheus: { hits: "o{variant}", all: "v{variant}" }, harm: "lower" },
      { name: "complaints", feedback: { kind: "complaint" }, harm: "higher" },
      { name: "smoke", webhook: { url: "https://smoke.example/check" } },
    ],
  },
});

/** So many requests in 5 ms, and others in 50 ms. */
const latency = (fast: number, slow: number): number[] => {
  const buckets = [...LATENCY_BOUNDS_MS, 0].map(() => 0);
  buckets[LATENCY_BOUNDS_MS.indexOf(5)] = fast;
  buckets[LATENCY_BOUNDS_MS.indexOf(50)] = slow;
  return buckets;
};

const totals = (change: Partial<VariantTotals> = {}): VariantTotals => ({
  decided: 10_000,
  settled: 10_000,
  requests: 10_000,
  failed: 40,
  latency: latency(9_200, 800),
  own: { orders: { hits: 300, all: 9_000 }, complaints: { hits: 12, all: 0 } },
  ...change,
});

const check = {
  verdict: "advance",
  weight: 1,
  stable: 0,
  canary: 0,
  difference: 0,
  lower: null,
  upper: null,
  threshold: 0.01,
  odds: 0.5,
  stableSample: 1,
  canarySample: 1,
} as const;

describe("a report of a test", () => {
  const worse = totals({ failed: 120, latency: latency(8_000, 2_000), own: { orders: { hits: 400, all: 9_000 } } });
  const report = variantReport({ rollout, variants: { stable: totals(), a: totals(), b: worse }, checks: [], isFinal: true });

  test("has errors, slow requests and what is counted by own checks, of each variant beside stable", () => {
    expect(report.measures.map(({ name, variants }) => [name, ...variants.map(({ variant, shows }) => `${variant} ${shows}`)])).toEqual([
      ["errors", "a nothing", "b higher"],
      ["slow p90", "a nothing", "b higher"],
      ["slow p99", "a nothing", "b nothing"],
      ["orders", "a nothing", "b higher"],
      ["complaints", "a nothing", "b lower"],
    ]);
    expect(VariantReportSchema.parse(report)).toEqual(report);
  });

  test("says what counts as slow: what at most a tenth, or a hundredth, of stable's requests are slower than", () => {
    expect(report.measures.map(({ slowerThanMs }) => slowerThanMs)).toEqual([undefined, 5, 50, undefined, undefined]);
    expect(report.measures[1]?.stable).toEqual({ hits: 800, all: 10_000, ratio: 0.08 });
  });

  test("counts feedback of the requests decided", () => {
    expect(report.measures[4]?.stable).toEqual({ hits: 12, all: 10_000, ratio: 0.001_2 });
  });

  test("trusts outcomes less that come in clumps: eight that count as one show nothing any more", () => {
    const clumped = [{ ...check, name: "errors", dispersion: 30 }];
    const { measures } = variantReport({ rollout, variants: { stable: totals(), b: worse }, checks: clumped, isFinal: false });
    expect(measures[0]).toMatchObject({
      dispersion: 30,
      variants: [{ variant: "a" }, { variant: "b", difference: 0.008, shows: "nothing" }],
    });
  });

  test("says of what it has no data that it shows nothing", () => {
    const { measures } = variantReport({ rollout, variants: {}, checks: [], isFinal: false });
    expect(measures.map(({ name }) => name)).toEqual(["errors", "orders", "complaints"]);
    expect(measures[0]?.variants[0]).toEqual({
      variant: "a",
      hits: 0,
      all: 0,
      ratio: null,
      difference: null,
      lower: null,
      upper: null,
      shows: "nothing",
    });
    const onlyOne = variantReport({ rollout, variants: { a: totals() }, checks: [], isFinal: false }).measures[0];
    expect(onlyOne?.variants[0]).toMatchObject({ ratio: 0.004, difference: null });
  });

  test("has no slow requests where stable's are all beyond the last bound", () => {
    const endless = totals({ latency: [...LATENCY_BOUNDS_MS.map(() => 0), 100] });
    const { measures } = variantReport({
      rollout: { ...rollout, checks: { ...rollout.checks, own: undefined } },
      variants: { stable: endless },
      checks: [],
      isFinal: true,
    });
    expect(measures.map(({ name }) => name)).toEqual(["errors"]);
  });
});

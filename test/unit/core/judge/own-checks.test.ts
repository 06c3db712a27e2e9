import { describe, expect, test } from "vitest";
import type { Counts } from "../../../../src/core/judge/bet.ts";
import type { OwnCheck } from "../../../../src/core/judge/types.ts";
import { checkIn, failing, judgeAll, policy, repeated } from "../../../support/judge-inputs.ts";

const orders: OwnCheck = { name: "orders", harm: "lower", tolerated: 0.1, weight: "critical" };
const refunds: OwnCheck = { name: "refunds", harm: "higher", tolerated: 0.2, weight: 50 };

/** Two minutes in which errors are alike, with own checks and what is counted of them each second. */
function judged(own: readonly OwnCheck[], counts: Readonly<Record<string, Counts>>) {
  const told = repeated(120, { stable: failing(1, 1_000), canary: failing(0, 100), own: counts });
  const { records, state } = judgeAll(told, { ...policy, own });
  const [last] = records.slice(-1);
  if (last === undefined) throw new Error("no record");
  return { last, state, back: records.find(({ verdict }) => verdict === "rollback") };
}
const of = (canaryHits: number, stableHits: number): Counts => ({ canaryHits, canary: 100, stableHits, stable: 1_000 });

describe("a check of the rollout's own", () => {
  test("whose drop is harm takes back a canary with a large drop, in its own words", () => {
    const { back } = judged([orders], { orders: of(5, 300) });
    expect(back?.reason).toMatch(/^orders 5 % on canary against 30 % on stable over the whole rollout: .* worse by more than 10 points$/);
  });

  test.each([
    { title: "the same", hits: 30 },
    { title: "a rise", hits: 60 },
  ])("whose drop is harm lets $title pass", ({ hits }) => {
    const { back, last } = judged([orders], { orders: of(hits, 300) });
    expect(back).toBeUndefined();
    expect(checkIn(last, "orders")).toMatchObject({ verdict: "advance", canary: hits / 100, stable: 0.3, upper: null });
  });

  test("whose rise is harm takes back a canary with a large rise, and lets a drop pass", () => {
    expect(judged([refunds], { refunds: of(20, 50) }).back?.reason).toMatch(/^refunds 20 % on canary against 5 % on stable/);
    expect(judged([refunds], { refunds: of(1, 50) }).back).toBeUndefined();
  });

  test("that only advises takes nobody back, and stands in the record with its odds", () => {
    const { back, last } = judged([{ ...orders, weight: "advisory" }], { orders: of(5, 300) });
    expect(back).toBeUndefined();
    expect(checkIn(last, "orders")).toMatchObject({ weight: 0, verdict: "advance" });
    expect(checkIn(last, "orders").odds).toBeGreaterThan(100);
  });

  test.each<{ title: string; own: readonly OwnCheck[] }>([
    { title: "none", own: [] },
    { title: "a critical one", own: [orders] },
    { title: "one of each kind", own: [orders, refunds, { ...orders, name: "visits", weight: "advisory" }] },
  ])("shares the wager with the judge's: all weights add up to 1 with $title", ({ own }) => {
    const { last } = judged(own, {});
    expect(last.checks.map(({ name }) => name)).toEqual(["errors", "slow p50", "slow p90", "slow p99", ...own.map(({ name }) => name)]);
    expect(last.checks.reduce((all, { weight }) => all + weight, 0)).toBeCloseTo(1, 12);
    const weights = own.map(({ name }) => checkIn(last, name).weight);
    expect(weights).toEqual(weights.toSorted((a, b) => b - a));
  });

  test("that is not told has no ratio, and blocks nothing", () => {
    const { last } = judged([orders], {});
    expect(checkIn(last, "orders")).toMatchObject({
      stable: null,
      canary: null,
      difference: null,
      stableSample: 0,
      canarySample: 0,
      odds: 1,
    });
    expect(last).toMatchObject({ verdict: "advance", safeShareBp: 10_000 });
  });

  test.each([orders, refunds])("of which more are hits than there are, as when hits come first, counts each once: $name", (check) => {
    const { last } = judged([check], { [check.name]: of(150, 300) });
    expect(checkIn(last, check.name).canary).toBe(1);
  });

  test("whose counts nobody asked about is left alone", () => {
    expect(Object.keys(judged([], { orders: of(5, 300) }).state.metrics)).not.toContain("own.orders");
  });
});

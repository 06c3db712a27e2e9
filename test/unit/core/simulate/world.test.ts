import { describe, expect, test } from "vitest";
import { binomial, poisson, randomOf } from "../../../../src/core/simulate/random.ts";
import { batchAt, behaviourOf, outcomesOf, slowPart } from "../../../../src/core/simulate/world.ts";

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const many = (draw: (random: () => number) => number, count = 4_000): number[] => {
  const random = randomOf(7);
  return Array.from({ length: count }, () => draw(random));
};

describe("chance", () => {
  test("is the same for the same seed, and another for another", () => {
    const first = (seed: number): number[] => Array.from({ length: 5 }, randomOf(seed));
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });

  test.each([
    { trials: 0, chance: 0.5 },
    { trials: 20, chance: 0 },
    { trials: 20, chance: 0.2 },
    { trials: 20, chance: 0.9 },
    { trials: 20, chance: 1 },
    { trials: 5_000, chance: 0.3 },
  ])("of $chance in $trials trials comes true as often as it should", ({ trials, chance }) => {
    const hits = many((random) => binomial(random, trials, chance));
    const sd = Math.sqrt(trials * chance * (1 - chance));
    expect(Math.abs(mean(hits) - trials * chance)).toBeLessThanOrEqual((4 * sd) / Math.sqrt(hits.length));
    expect(hits.every((count) => count >= 0 && count <= trials)).toBe(true);
  });

  test.each([0, 0.3, 40, 900])("of events that are expected %d times varies as their number", (expected) => {
    const counts = many((random) => poisson(random, expected));
    const average = mean(counts);
    const variance = mean(counts.map((count) => (count - average) ** 2));
    expect(Math.abs(average - expected)).toBeLessThanOrEqual(4 * Math.sqrt(expected / counts.length));
    expect(Math.abs(variance - expected)).toBeLessThanOrEqual(0.12 * expected);
  });
});

describe("requests", () => {
  test("end with failures and in times as their variant behaves, each failure with another user", () => {
    const { requests, failed, latency, users } = outcomesOf(randomOf(3), 100_000, behaviourOf(0.02, 100));
    expect(requests).toBe(100_000);
    expect(failed).toBeGreaterThan(1_800);
    expect(failed).toBeLessThan(2_200);
    expect(users).toEqual({ newly: failed, knownRequests: 0 });
    // Bounds up to 100 ms hold half of them.
    expect(latency.reduce((sum, count) => sum + count, 0)).toBe(100_000);
    expect(latency.slice(0, 13).reduce((sum, count) => sum + count, 0) / 100_000).toBeCloseTo(0.5, 1);
  });

  test("are shared out, and stable is known in two halves", () => {
    const stable = behaviourOf(0.01, 80);
    const batch = batchAt(randomOf(3), { nowMs: 5, run: 4, shareBp: 2_500, requests: 40_000, stable, canary: behaviourOf(1, 80) });
    expect(batch).toMatchObject({
      nowMs: 5,
      run: 4,
      runCanary: batch.canary.requests,
      split: { shareBp: 2_500, canary: batch.canary.requests },
    });
    expect(batch.canary.failed).toBe(batch.canary.requests);
    expect(batch.split?.all).toBe(batch.canary.requests + batch.stable.requests);
    expect(batch.canary.requests / 40_000).toBeCloseTo(0.25, 1);
    expect((batch.halves?.keys?.requests ?? 0) / batch.stable.requests).toBeCloseTo(0.5, 1);
    expect(batch.stable.latency.reduce((sum, count) => sum + count, 0)).toBe(batch.stable.requests);
  });

  test("of a variant as fast are not slow, of one much slower nearly all", () => {
    const stable = behaviourOf(0, 80);
    expect(slowPart(stable, behaviourOf(0, 80))).toBeCloseTo(0, 5);
    expect(slowPart(stable, behaviourOf(0, 160))).toBeCloseTo(0.264, 2);
    expect(slowPart(stable, behaviourOf(0, 80_000))).toBeCloseTo(0.95, 5);
  });
});

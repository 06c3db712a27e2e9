import { describe, expect, test } from "vitest";
import type { EvidenceBatch } from "../../../../src/core/judge/types.ts";
import { judgeAll, simulated, type Tick } from "../../../support/judge-inputs.ts";
import { randomOf } from "../../../support/random.ts";

const RUNS = 300;
const TICK_MS = 5_000;
const SHARES = [0.01, 0.05, 0.25, 0.5] as const;
const seeds = Array.from({ length: RUNS }, (_, index) => index + 1);

/** The most hits that chance allows for at three standard deviations, when each run hits with probability `chance`. */
const atMost = (chance: number): number => chance * RUNS + 3 * Math.sqrt(RUNS * chance * (1 - chance));

/** Shares that rise as in a rollout, a quarter of the ticks each. */
const shareAt = (index: number, ticks: number): number => SHARES[Math.floor((index * SHARES.length) / ticks)] ?? 0.5;

/** Ratio and median of stable that wander from tick to tick, the ratio between 0.02 % and 20 %; traffic that comes and goes. */
function drifting(random: () => number, ticks: number): Pick<Tick, "requests" | "stable">[] {
  let logRatio = Math.log(0.001 + 0.02 * random());
  let medianMs = 5 + 60 * random();
  return Array.from({ length: ticks }, () => {
    logRatio = Math.min(Math.log(0.2), Math.max(Math.log(2e-4), logRatio + 0.8 * (random() - 0.5)));
    medianMs = Math.min(200, Math.max(3, medianMs * Math.exp(0.2 * (random() - 0.5))));
    return { requests: Math.floor(200 + 2_000 * random()), stable: { failing: Math.exp(logRatio), medianMs } };
  });
}

const isRolledBack = (batches: readonly EvidenceBatch[]): boolean =>
  judgeAll(batches).records.some(({ verdict }) => verdict === "rollback");

/** What most canary scripts do: at each look, is the canary's ratio significantly above what is tolerated? */
function isCondemnedByPeeking(batches: readonly EvidenceBatch[]): boolean {
  const sums = { canary: { requests: 0, failed: 0 }, stable: { requests: 0, failed: 0 } };
  return batches.some(({ canary, stable }) => {
    for (const [sum, side] of [
      [sums.canary, canary],
      [sums.stable, stable],
    ] as const) {
      sum.requests += side.requests;
      sum.failed += side.failed;
    }
    const ratios = [sums.canary, sums.stable].map(({ failed, requests }) => failed / requests) as [number, number]; // map loses the length
    const variance = (ratios[0] * (1 - ratios[0])) / sums.canary.requests + (ratios[1] * (1 - ratios[1])) / sums.stable.requests;
    return (ratios[0] - 1.1 * ratios[1] - 0.005) / Math.sqrt(variance) > 2.33;
  });
}

describe("of 300 rollouts whose canary is within tolerance, at most 1 % are rolled back", () => {
  test("when both are alike, stable drifts and shares rise", () => {
    const ticks = 40;
    const rolledBack = seeds.filter((seed) => {
      const random = randomOf(seed);
      const told = drifting(random, ticks).map((tick, index) => ({ ...tick, canary: tick.stable, share: shareAt(index, ticks) }));
      return isRolledBack(simulated(random, told, TICK_MS));
    });
    expect(rolledBack.length).toBeLessThanOrEqual(atMost(0.01));
  }, 60_000);

  test("when the canary is just as bad as is tolerated, which condemns a judge that peeks", () => {
    const ticks = 80;
    const runs = seeds.map((seed) => {
      const random = randomOf(10_000 + seed);
      const told = drifting(random, ticks).map((tick, index) => {
        const canary = { ...tick.stable, failing: 1.1 * tick.stable.failing + 0.005 };
        return { ...tick, canary, share: shareAt(index, ticks) };
      });
      return simulated(random, told, TICK_MS, false);
    });
    expect(runs.filter(isRolledBack).length).toBeLessThanOrEqual(atMost(0.01));
    expect(runs.filter(isCondemnedByPeeking).length).toBeGreaterThan(atMost(0.01));
  }, 60_000);

  test("when a dependency of both goes down and comes back", () => {
    const ticks = 60;
    const rolledBack = seeds.filter((seed) => {
      const random = randomOf(20_000 + seed);
      const told = drifting(random, ticks).map((tick, index) => {
        const stable = index >= 20 && index < 40 ? { ...tick.stable, failing: 0.4 } : tick.stable;
        return { ...tick, stable, canary: stable, share: shareAt(index, ticks) };
      });
      return isRolledBack(simulated(random, told, TICK_MS, false));
    });
    expect(rolledBack.length).toBeLessThanOrEqual(atMost(0.01));
  }, 60_000);
});

describe("of 300 canaries that are worse by 2 points, at most 5 % are ever called better than that", () => {
  test("at every look", () => {
    const ticks = 60;
    const understated = seeds.filter((seed) => {
      const random = randomOf(30_000 + seed);
      const told = drifting(random, ticks).map((tick, index) => {
        const canary = { ...tick.stable, failing: tick.stable.failing + 0.02 };
        return { ...tick, canary, share: shareAt(index, ticks) };
      });
      const { records } = judgeAll(simulated(random, told, TICK_MS, false));
      return records.some(({ checks: [errors] }) => errors?.upper != null && errors.upper <= 0.02);
    });
    expect(understated.length).toBeLessThanOrEqual(atMost(0.05));
  }, 60_000);
});

describe("a canary that is worse is found", () => {
  const medianMs = 20;
  test.each([
    { title: "1 % against 0.1 % at 100 canary requests a second", failingRatio: 0.01, share: 0.1, withinTicks: 96 },
    { title: "5 % against 0.1 % at 50 canary requests a second", failingRatio: 0.05, share: 0.05, withinTicks: 8 },
    { title: "100 % against 0.1 % at 10 canary requests a second", failingRatio: 1, share: 0.01, withinTicks: 2 },
  ])("$title, in 95 of 100 rollouts", ({ failingRatio, share, withinTicks }) => {
    const tick: Tick = { requests: 5_000, share, stable: { failing: 0.001, medianMs }, canary: { failing: failingRatio, medianMs } };
    const found = seeds
      .slice(0, 100)
      .filter((seed) => isRolledBack(simulated(randomOf(seed), new Array<Tick>(withinTicks).fill(tick), TICK_MS, false)));
    expect(found.length).toBeGreaterThanOrEqual(95);
  });
});

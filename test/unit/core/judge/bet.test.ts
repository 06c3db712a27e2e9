import { describe, expect, test } from "vitest";
import { type Edge, type Guess, logBet } from "../../../../src/core/judge/bet.ts";

const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);
const chanceOf = (n: number, k: number, ratio: number): number => choose(n, k) * ratio ** k * (1 - ratio) ** (n - k);

/** Mean of the wealth over all outcomes, when the ratios are these. */
function meanWealth(sizes: { canary: number; stable: number }, ratios: Guess, edge: Edge, guess: Guess): number {
  let mean = 0;
  for (let canaryHits = 0; canaryHits <= sizes.canary; canaryHits += 1) {
    for (let stableHits = 0; stableHits <= sizes.stable; stableHits += 1) {
      const chance = chanceOf(sizes.canary, canaryHits, ratios.canary) * chanceOf(sizes.stable, stableHits, ratios.stable);
      mean += chance * Math.exp(logBet({ canaryHits, stableHits, ...sizes }, edge, guess));
    }
  }
  return mean;
}

const SIZES = [
  { canary: 1, stable: 1 },
  { canary: 1, stable: 12 },
  { canary: 12, stable: 1 },
  { canary: 6, stable: 9 },
];
const RATIOS = [0, 0.001, 0.02, 0.1, 0.3, 0.5, 0.8, 0.95, 1];

describe("a bet on harm is fair against every canary within tolerance", () => {
  const edges = [
    { factor: 1.1, margin: 0.005 },
    { factor: 1, margin: 0.2 },
  ];
  const guesses = [
    { stable: 1e-4, canary: 0.5 },
    { stable: 0.01, canary: 0.25 },
    { stable: 0.3, canary: 0.6 },
    { stable: 0.7, canary: 0.999 },
  ];
  test.each(edges.flatMap((edge) => guesses.map((guess) => ({ edge, guess }))))("edge $edge, guess $guess", ({ edge, guess }) => {
    const means = SIZES.flatMap((sizes) =>
      RATIOS.flatMap((stable) => {
        const most = Math.min(1, edge.factor * stable + edge.margin);
        return [most, most * 0.7, 0].map((canary) => meanWealth(sizes, { stable, canary }, edge, guess));
      }),
    );
    expect(Math.max(...means)).toBeLessThanOrEqual(1 + 1e-9);
  });
});

describe("a bet on safety is fair against every canary that is worse by the margin", () => {
  const cases = [
    { margin: 0.005, guess: { stable: 1e-4, canary: 1e-4 } },
    { margin: 0.005, guess: { stable: 0.4, canary: 0.4 + 0.005 / 3 } },
    { margin: 0.1, guess: { stable: 0.02, canary: 0.02 } },
    { margin: 0.9, guess: { stable: 0.001, canary: 0.301 } },
    { margin: 0.9, guess: { stable: 0.999, canary: 0.999 } },
  ];
  test.each(cases)("margin $margin, guess $guess", ({ margin, guess }) => {
    const edge = { factor: 1, margin };
    const means = SIZES.flatMap((sizes) =>
      RATIOS.filter((stable) => stable + margin <= 1).flatMap((stable) =>
        [stable + margin, (stable + margin + 1) / 2, 1].map((canary) => meanWealth(sizes, { stable, canary }, edge, guess)),
      ),
    );
    expect(Math.max(...means)).toBeLessThanOrEqual(1 + 1e-9);
  });
});

describe("a bet pays", () => {
  const harm = { edge: { factor: 1.1, margin: 0.005 }, guess: { stable: 0.001, canary: 0.38 } };

  test("on harm, when the canary fails and stable does not", () => {
    expect(logBet({ canaryHits: 3, canary: 3, stableHits: 1, stable: 1_000 }, harm.edge, harm.guess)).toBeGreaterThan(10);
  });

  test("nothing on harm, when both fail alike", () => {
    expect(logBet({ canaryHits: 30, canary: 100, stableHits: 300, stable: 1_000 }, harm.edge, harm.guess)).toBeLessThan(0);
  });

  test("on safety, about the margin for each good outcome", () => {
    const win = logBet(
      { canaryHits: 0, canary: 100, stableHits: 10, stable: 10_000 },
      { factor: 1, margin: 0.1 },
      { stable: 0.001, canary: 0.001 },
    );
    expect(win).toBeGreaterThan(9);
    expect(win).toBeLessThan(11);
  });

  test("and one outcome to the contrary never costs more than 98 % of the wealth", () => {
    const worst = [
      logBet({ canaryHits: 0, canary: 1, stableHits: 1, stable: 1 }, harm.edge, { stable: 1e-4, canary: 0.999 }),
      logBet({ canaryHits: 1, canary: 1, stableHits: 0, stable: 1 }, { factor: 1, margin: 0.9 }, { stable: 1e-4, canary: 1e-4 }),
    ];
    expect(Math.min(...worst)).toBeGreaterThanOrEqual(2 * Math.log(0.02) - 1e-9);
  });
});

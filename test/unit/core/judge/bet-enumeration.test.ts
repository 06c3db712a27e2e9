import { describe, expect, test } from "vitest";
import { shoot, startAim } from "../../../../src/core/judge/aim.ts";
import type { Edge, Guess } from "../../../../src/core/judge/bet.ts";
import { HARM_ODDS, START_WEALTH } from "../../../../src/core/judge/parameters.ts";
import { chancesOf, meanIn, wealthTable } from "../../../support/binomial-mean.ts";

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
/** All sizes of two sides up to six outcomes, and some that are far from even. */
const SIZES = [
  ...range(6).flatMap((canary) => range(6).map((stable) => ({ canary, stable }))),
  { canary: 1, stable: 40 },
  { canary: 40, stable: 1 },
  { canary: 4, stable: 20 },
];
const RATIOS = [0, 0.000_1, 0.01, 0.03, 0.1, 0.3, 0.5, 0.8, 0.97, 1];
const FACTORS = [0.9, 1, 1.1];
const MARGINS = [0.000_5, 0.005, 0.05, 0.3];
const STABLE = [0.000_1, 0.01, 0.3];

/** Largest mean over all sizes and the ratios of stable, with the canary where it is worst for us on its side of the edge, and deeper in. */
function mostOf(edge: Edge, guess: Guess, canaries: (onEdge: number) => readonly number[]): number {
  let most = 0;
  for (const sizes of SIZES) {
    const table = wealthTable(sizes, edge, guess);
    for (const stable of RATIOS) {
      for (const canary of canaries(edge.factor * stable + edge.margin)) most = Math.max(most, meanIn(table, { stable, canary }));
    }
  }
  return most;
}

const edges = FACTORS.flatMap((factor) => MARGINS.map((margin) => ({ factor, margin })));

describe("a bet on harm has a mean of at most 1 where the canary is within tolerance, whatever stable does", () => {
  test.each(edges)("edge at $factor times stable and $margin", (edge) => {
    const mosts = STABLE.flatMap((stable) => {
      const level = edge.factor * stable + edge.margin;
      return HARM_ODDS.map((odds) => {
        const guess = { stable, canary: (odds * level) / (1 - level + odds * level) };
        return mostOf(edge, guess, (onEdge) => [Math.min(1, onEdge), Math.min(1, onEdge) / 2, 0]);
      });
    });
    expect(Math.max(...mosts)).toBeLessThanOrEqual(1 + 1e-9);
    // On the edge nothing is given away.
    expect(Math.min(...mosts)).toBeGreaterThan(0.9);
  });
});

describe("a bet on safety has a mean of at most 1 where the canary is worse by the margin, whatever stable does", () => {
  test.each(edges.filter(({ factor }) => factor === 1))("margin $margin", (edge) => {
    const mosts = STABLE.flatMap((stable) =>
      [0, 1 / 3].map((part) =>
        mostOf(edge, { stable, canary: stable + part * edge.margin }, (onEdge) => (onEdge > 1 ? [] : [onEdge, (onEdge + 1) / 2, 1])),
      ),
    );
    expect(Math.max(...mosts)).toBeLessThanOrEqual(1 + 1e-9);
    expect(Math.min(...mosts)).toBeGreaterThan(0.9);
  });
});

describe("a bet on one ratio has a mean of at most 1 on the edge and on the other side of it", () => {
  const meanAt = (edge: number, times: number, ratio: number, all: number): number =>
    chancesOf(all, ratio).reduce((sum, chance, hits) => {
      const shot = { hits, all, nowMs: 0, alpha: 1e-9, dispersion: 1 };
      const { wealth } = shoot(startAim(0), { question: "asked", edge, odds: [times] }, shot);
      return sum + (chance * Number(wealth[0])) / START_WEALTH;
    }, 0);
  test.each(
    [0.0005, 0.02, 0.4].flatMap((edge) => [
      { edge, times: [1.4, 4, 100], ratios: [edge, edge / 2, 0] },
      { edge, times: [0.7, 0.25, 0.08], ratios: [edge, (1 + edge) / 2, 1] },
    ]),
  )("edge $edge, odds $times", ({ edge, times, ratios }) => {
    const means = times.flatMap((each) => ratios.flatMap((ratio) => range(12).map((all) => meanAt(edge, each, ratio, all))));
    expect(Math.max(...means)).toBeLessThanOrEqual(1 + 1e-9);
    expect(Math.max(...means)).toBeGreaterThan(0.9);
  });
});

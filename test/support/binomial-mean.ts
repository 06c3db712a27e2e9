import { type Edge, type Guess, logBet } from "../../src/core/judge/bet.ts";

/** Chance of each number of hits, 0 to `count`. */
export function chancesOf(count: number, ratio: number): number[] {
  const chances = [1];
  for (let trial = 0; trial < count; trial += 1) {
    const before = [0, ...chances, 0];
    for (let hits = 0; hits <= trial + 1; hits += 1) chances[hits] = Number(before[hits]) * ratio + Number(before[hits + 1]) * (1 - ratio);
  }
  return chances;
}

interface Sizes {
  readonly canary: number;
  readonly stable: number;
}

/** What the bet makes of 1, for each number of hits of the canary, then of stable. */
export const wealthTable = ({ canary, stable }: Sizes, edge: Edge, guess: Guess): number[][] =>
  Array.from({ length: canary + 1 }, (_, canaryHits) =>
    Array.from({ length: stable + 1 }, (__, stableHits) => Math.exp(logBet({ canaryHits, canary, stableHits, stable }, edge, guess))),
  );

/** Mean of a table over all outcomes, when the ratios are these. */
export function meanIn(table: readonly (readonly number[])[], ratios: Guess): number {
  const ofCanary = chancesOf(table.length - 1, ratios.canary);
  const ofStable = chancesOf((table[0]?.length ?? 1) - 1, ratios.stable);
  const rows = table.map((row) => row.reduce((sum, wealth, hits) => sum + wealth * Number(ofStable[hits]), 0));
  return rows.reduce((sum, row, hits) => sum + row * Number(ofCanary[hits]), 0);
}

/** Mean of the wealth over all outcomes, when the ratios are these. */
export const meanOf = (sizes: Sizes, ratios: Guess, edge: Edge, guess: Guess): number => meanIn(wealthTable(sizes, edge, guess), ratios);

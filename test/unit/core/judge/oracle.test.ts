import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { shoot, startAim } from "../../../../src/core/judge/aim.ts";
import { type Edge, type Guess, logBet } from "../../../../src/core/judge/bet.ts";
import { disperse, startDispersion } from "../../../../src/core/judge/dispersion.ts";
import { BLOCK_MS, START_WEALTH } from "../../../../src/core/judge/parameters.ts";
import { slowerThan } from "../../../bench/judging/suite/latency.ts";
import { meanOf } from "../../../support/binomial-mean.ts";

const triple = z.tuple([z.number(), z.number(), z.number()]);
const OracleSchema = z.strictObject({
  bets: z.array(
    z.strictObject({
      canary: z.int(),
      stable: z.int(),
      edge: z.strictObject({ factor: z.number(), margin: z.number() }),
      guess: z.strictObject({ stable: z.number(), canary: z.number() }),
      logWealth: z.array(triple),
      means: z.array(triple),
    }),
  ),
  halves: z.array(z.strictObject({ all: z.int(), half: z.int(), hits: z.int(), variance: z.number() })),
  shots: z.array(z.strictObject({ edge: z.number(), times: z.number(), hits: z.int(), all: z.int(), logWealth: z.number() })),
  latency: z.array(z.strictObject({ ms: z.number(), slower: z.number() })),
});

const oracle = OracleSchema.parse(JSON.parse(readFileSync(new URL("../../../vectors/judge/oracle.json", import.meta.url), "utf8")));

interface Bet {
  readonly sizes: { readonly canary: number; readonly stable: number };
  readonly edge: Edge;
  readonly guess: Guess;
}

const betOf = ({ canary, stable, edge, guess }: (typeof oracle.bets)[number]): Bet => ({ sizes: { canary, stable }, edge, guess });

describe("the judge's arithmetic is what scipy says", () => {
  test("of bets: a ratio of likelihoods, the guess against the nearest point of the edge", () => {
    const differences = oracle.bets.flatMap((each) => {
      const { sizes, edge, guess } = betOf(each);
      return each.logWealth.map(([canaryHits, stableHits, expected]) => {
        const own = logBet({ canaryHits, stableHits, ...sizes }, edge, guess);
        return Math.abs(own - expected) / Math.max(1, Math.abs(expected));
      });
    });
    expect(differences.length).toBeGreaterThan(500);
    // The judge looks for the nearest point to some seven digits after the point, which costs power only.
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  });

  test("of their mean on the edge, over all outcomes", () => {
    const means = oracle.bets.flatMap((each) => {
      const { sizes, edge, guess } = betOf(each);
      return each.means.map(([stable, canary, expected]) => ({ own: meanOf(sizes, { stable, canary }, edge, guess), expected }));
    });
    expect(means.length).toBeGreaterThan(200);
    expect(Math.max(...means.map(({ own, expected }) => Math.abs(own - expected)))).toBeLessThan(1e-4);
    expect(Math.max(...means.map(({ own }) => own))).toBeLessThanOrEqual(1 + 1e-9);
  });

  test.each(oracle.halves)("of the variance of $hits hits of $all that fall into a half of $half", ({ all, half, hits, variance }) => {
    const first = disperse(startDispersion(), { halfHits: 0, half, hits, all }, 0);
    const [shortest] = disperse(first, { halfHits: 0, half: 0, hits: 0, all: 0 }, BLOCK_MS).lengths;
    expect(shortest?.expected).toBeCloseTo(variance, 9);
  });

  test.each(oracle.shots)("of $hits hits of $all against $edge, with $times times its odds as the guess", (shot) => {
    const { edge, times, hits, all, logWealth } = shot;
    const dispersion = 40;
    const { wealth } = shoot(startAim(0), { question: "asked", edge, odds: [times] }, { hits, all, nowMs: 0, alpha: 1e-9, dispersion });
    expect(dispersion * Math.log(Number(wealth[0]) / START_WEALTH)).toBeCloseTo(logWealth, 9);
  });

  test.each(oracle.latency)("of how many requests are slower than $ms ms in the benchmark", ({ ms, slower }) => {
    const mixture = [
      { w: 0.975, median_ms: 80, sigma: 0.6 },
      { w: 0.025, median_ms: 600, sigma: 0.3 },
    ];
    expect(Math.abs(slowerThan(mixture, ms) - slower)).toBeLessThan(2e-7);
  });
});

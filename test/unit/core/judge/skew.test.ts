import { describe, expect, test } from "vitest";
import { gammaLog, MIX_ALPHA, type Split, skewLogOdds } from "../../../../src/core/judge/skew.ts";
import { randomOf } from "../../../support/random.ts";

const EXACT: Split = { canary: 0, others: 0 };

/** Of so many users on each side, so many with the value. */
const logOdds = (canary: [number, number], others: [number, number], levels = EXACT, comparisons = 1): number =>
  skewLogOdds(
    {
      having: { canary: canary[0], others: others[0] },
      lacking: { canary: canary[1] - canary[0], others: others[1] - others[0] },
      levels,
    },
    comparisons,
  );

describe("the logarithm of the gamma function", () => {
  test.each([
    [0.5, Math.log(Math.PI) / 2],
    [1, 0],
    [2, 0],
    [5, Math.log(24)],
    [11, Math.log(3_628_800)],
    [13, Math.log(479_001_600)],
    [100.5, 361.435_540_467_774_6],
  ])("of %f is %f", (x, expected) => {
    expect(gammaLog(x)).toBeCloseTo(expected, 10);
  });
});

describe("evidence of a skew", () => {
  test("is none without users, and against one while there are few", () => {
    expect(logOdds([0, 0], [0, 0])).toBeCloseTo(-2 * Math.log(2), 10);
    expect(logOdds([1, 2], [1, 2])).toBeLessThan(0);
    expect(logOdds([40, 40], [0, 0])).toBeLessThan(0);
  });

  test("says that of all of 20 users against none of 200, and not of 3 of 20 against 10 of 200", () => {
    expect(logOdds([20, 20], [0, 200])).toBeGreaterThan(Math.log(1 / MIX_ALPHA));
    expect(logOdds([3, 20], [10, 200])).toBeLessThan(0);
  });

  test.each([
    { title: "10 % against 26 % of 200 users", canary: [51, 200], others: [100, 1_000] },
    { title: "10 % against 19 % of 1,000 users", canary: [187, 1_000], others: [100, 1_000] },
    { title: "50 % against 38 % of 1,000 users", canary: [376, 1_000], others: [500, 1_000] },
  ] as const)("is a warning at $title, of ten values", ({ canary, others }) => {
    expect(logOdds([...canary], [...others], EXACT, 10)).toBeGreaterThan(Math.log(1 / MIX_ALPHA));
    const nearer: [number, number] = [(canary[0] + (others[0] * canary[1]) / others[1]) / 2, canary[1]];
    expect(logOdds(nearer, [...others], EXACT, 10)).toBeLessThan(Math.log(1 / MIX_ALPHA));
  });

  test("is shared out among values, and among the levels of samples", () => {
    const one = logOdds([50, 100], [100, 1_000]);
    expect(logOdds([50, 100], [100, 1_000], EXACT, 10) - one).toBeCloseTo(-Math.log(10), 10);
    expect(logOdds([50, 100], [100, 1_000], { canary: 1, others: 8 }) - one).toBeCloseTo(-Math.log(3) - Math.log(45), 10);
  });
});

/** Users who come one after the other, from other countries by day than by night; those whose hash is low are the canary's. */
function warnings(seed: number, { users, share }: { users: number; share: number }): { ever: boolean; naive: boolean } {
  const random = randomOf(seed);
  const values = 8;
  const counts = Array.from({ length: values }, () => ({ canary: 0, others: 0 }));
  const all = { canary: 0, others: 0 };
  const found = { ever: false, naive: false };
  for (let user = 1; user <= users; user += 1) {
    const side = random() < share ? "canary" : "others";
    const isNight = Math.floor(user / 150) % 2 === 1;
    const value = Math.floor(random() ** (isNight ? 3 : 1) * values);
    all[side] += 1;
    const counted = counts[value];
    if (counted !== undefined) counted[side] += 1;
    if (user % 10 !== 0) continue;
    for (const having of counts) {
      const lacking = { canary: all.canary - having.canary, others: all.others - having.others };
      found.ever ||= skewLogOdds({ having, lacking, levels: EXACT }, values) > Math.log(1 / MIX_ALPHA);
      found.naive ||= chiSquare(having, all) > CHI_SQUARE;
    }
  }
  return found;
}

/** One chance in 800 with one degree of freedom: 1 % over eight values, at one look. */
const CHI_SQUARE = 10.41;

function chiSquare(having: Split, all: Split): number {
  const users = all.canary + all.others;
  const rate = (having.canary + having.others) / users;
  const expected = rate * all.canary;
  const variance = (expected * (1 - rate) * all.others) / users;
  return variance < 1 ? 0 : (having.canary - expected) ** 2 / variance;
}

test.each([
  { share: 0.05, users: 2_000 },
  { share: 0.25, users: 1_000 },
])("of 400 canaries by a share of $share alone, looked at after every ten users, at most one in a hundred is ever warned of", (load) => {
  const runs = Array.from({ length: 400 }, (_, seed) => warnings(seed + 1, load));
  expect(runs.filter(({ ever }) => ever).length).toBeLessThanOrEqual(400 * MIX_ALPHA);
  // The same looks through a test that is made for one look: the simulation can tell them apart.
  expect(runs.filter(({ naive }) => naive).length).toBeGreaterThan(3 * 400 * MIX_ALPHA);
});

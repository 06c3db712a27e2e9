import { describe, expect, test } from "vitest";
import { BUCKETS, bucketOf, thresholdOf } from "../../src/core/decide/bucket.ts";

const KEYS = 400_000;

/** Kinds of key as services have them; fixed, so that each run counts the same. */
const KINDS = [
  { kind: "numbered users", key: (index: number): string => `user-${index}` },
  { kind: "bare numbers", key: (index: number): string => String(index) },
  { kind: "mail addresses", key: (index: number): string => `jo.${index.toString(36)}@mail.example` },
  { kind: "hexadecimal ids", key: (index: number): string => (index * 2_654_435_761).toString(16).padStart(16, "0") },
  { kind: "addresses", key: (index: number): string => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}` },
  { kind: "names beyond ASCII", key: (index: number): string => `зерно-${index}` },
] as const;

/** Pearson's chi-square of counts that should all be equal; its mean is the number of cells less one. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Counts of `KEYS` keys by a cell number. */
function countBy(cells: number, cellOf: (index: number) => number): number[] {
  const counts = Array.from({ length: cells }, () => 0);
  for (let index = 0; index < KEYS; index += 1) {
    const cell = cellOf(index);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  return counts;
}

// Quantiles of chi-square with 255 degrees of freedom: one true uniform hash in a million lies above 377, one in a million below 160.
const HIGH = 377;
const LOW = 160;
const cell256 = (bucket: number): number => Math.floor(bucket / (BUCKETS / 256));
const cell16 = (bucket: number): number => Math.floor(bucket / (BUCKETS / 16));

describe("buckets are spread evenly", () => {
  test.each(KINDS)("over 400,000 $kind", ({ key }) => {
    const statistic = chiSquare(countBy(256, (index) => cell256(bucketOf("checkout", key(index)))));
    expect(statistic).toBeLessThan(HIGH);
    expect(statistic).toBeGreaterThan(LOW);
  });

  test("and the count would show a single cell that is half as full again", () => {
    const counts = countBy(256, (index) => cell256(bucketOf("checkout", `user-${index}`)));
    expect(chiSquare(counts.map((count, cell) => (cell === 0 ? count * 1.5 : count)))).toBeGreaterThan(HIGH);
  });
});

describe("a share is what it says", () => {
  test("to within a bucket, so to far less than 0.01 % of the keys there can be", () => {
    const worst = Math.max(
      ...Array.from({ length: 10_001 }, (_, shareBp) => Math.abs(thresholdOf(shareBp) - (shareBp / 10_000) * BUCKETS)),
    );
    expect(worst).toBeLessThan(1);
  });

  test.each([1, 10, 100, 500, 2_500, 5_000, 9_900])(
    "of %i basis points, over 400,000 keys of each kind within four standard errors",
    (shareBp) => {
      const threshold = thresholdOf(shareBp);
      const share = shareBp / 10_000;
      const fourErrors = 4 * Math.sqrt((share * (1 - share)) / KEYS);
      for (const { key } of KINDS.slice(0, 3)) {
        const [seen = 0] = countBy(2, (index) => (bucketOf("checkout", key(index)) < threshold ? 0 : 1));
        expect(Math.abs(seen / KEYS - share)).toBeLessThan(fourErrors);
      }
    },
  );
});

describe("two salts", () => {
  const together = (one: string, other: string): number =>
    chiSquare(
      countBy(256, (index) => {
        const key = `user-${index}`;
        return cell16(bucketOf(one, key)) * 16 + cell16(bucketOf(other, key));
      }),
    );

  test.each([
    ["checkout", "search"],
    ["checkout", "checkout-2"],
    ["a", "b"],
    ["rollout-1", "rollout-2"],
  ])("%s and %s give independent cohorts", (one, other) => {
    const statistic = together(one, other);
    expect(statistic).toBeLessThan(HIGH);
    expect(statistic).toBeGreaterThan(LOW);
  });

  test("and the count would show two that are the same", () => {
    expect(together("checkout", "checkout")).toBeGreaterThan(HIGH);
  });

  test("of twenty give 190 pairs of independent cohorts", () => {
    const users = Array.from({ length: 20_000 }, (_, index) => `user-${index}`);
    const cells = Array.from({ length: 20 }, (_, salt) => users.map((user) => cell16(bucketOf(`rollout-${salt}`, user))));
    const statistics = cells.flatMap((one, index) =>
      cells.slice(index + 1).map((other) => {
        const counts = Array.from({ length: 256 }, () => 0);
        for (const [user, cell] of one.entries()) {
          const both = cell * 16 + (other[user] ?? 0);
          counts[both] = (counts[both] ?? 0) + 1;
        }
        return chiSquare(counts);
      }),
    );
    expect(statistics).toHaveLength(190);
    expect(Math.max(...statistics)).toBeLessThan(HIGH);
    expect(Math.min(...statistics)).toBeGreaterThan(LOW);
    // A mean of 255 with a standard error of 1.6, if pairs had no salt in common.
    expect(Math.abs(statistics.reduce((sum, statistic) => sum + statistic, 0) / 190 - 255)).toBeLessThan(10);
  });
});

import { describe, expect, test } from "vitest";
import { LATENCY_BOUNDS_MS } from "../../../../src/contract/names.ts";
import { boundNear, coldBound, countOf, slowerThan } from "../../../../src/core/judge/slow.ts";

/** A histogram with so many requests up to each of these bounds; `open` are slower than all. */
const histogram = (counts: Readonly<Record<number, number>>, open = 0): number[] => [
  ...LATENCY_BOUNDS_MS.map((bound) => counts[bound] ?? 0),
  open,
];
const boundMs = (index: number | null): number | undefined => (index === null ? undefined : LATENCY_BOUNDS_MS[index]);
const indexOf = (ms: number): number => LATENCY_BOUNDS_MS.findIndex((bound) => bound === ms);

test("a request is slow above the bound, not at it", () => {
  const latency = histogram({ 50: 3, 70: 4, 100: 5 }, 2);
  expect(slowerThan(latency, indexOf(70))).toBe(7);
  expect(slowerThan(latency, LATENCY_BOUNDS_MS.length - 1)).toBe(2);
  expect(countOf(latency)).toBe(14);
});

describe("the bound nearest to a quantile of stable", () => {
  const usual = histogram({ 20: 500, 50: 400, 100: 88, 500: 12 });
  test.each([
    { title: "is the median's", latency: usual, quantile: 0.5, ms: 20 },
    { title: "is the 90th percentile's", latency: usual, quantile: 0.9, ms: 50 },
    { title: "takes 1.2 % for 1 %, rather than 0", latency: usual, quantile: 0.99, ms: 100 },
    { title: "is not chosen from 499 outcomes", latency: histogram({ 20: 499 }), quantile: 0.5, ms: undefined },
    { title: "is chosen from 500", latency: histogram({ 20: 250, 30: 250 }), quantile: 0.5, ms: 20 },
    { title: "is 10 ms at least, however fast stable is", latency: histogram({ 1: 1_000 }), quantile: 0.5, ms: 10 },
    { title: "may be the last one", latency: histogram({ 30_000: 900 }, 100), quantile: 0.9, ms: 30_000 },
  ])("$title", ({ latency, quantile, ms }) => {
    expect(boundMs(boundNear(latency, quantile, LATENCY_BOUNDS_MS))).toBe(ms);
  });
});

test.each([
  [10, 30],
  [15, 50],
  [20, 70],
  [70, 300],
  [10_000, 30_000],
  [30_000, 30_000],
])("a cold canary is slow above %d ms only above %d ms", (ms, coldMs) => {
  expect(boundMs(coldBound(indexOf(ms), LATENCY_BOUNDS_MS))).toBe(coldMs);
});

test("a bound that does not exist is no bound for a cold canary: the last one counts", () => {
  expect(boundMs(coldBound(99, LATENCY_BOUNDS_MS))).toBe(30_000);
});

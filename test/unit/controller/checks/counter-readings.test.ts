import { describe, expect, test } from "vitest";
import { type CounterReading, countsSince, valuesOf } from "../../../../src/controller/checks/counter-readings.ts";

type Series = Readonly<Record<string, number>>;
const one = (value: number): Series => ({ "": value });
const values = (series: Series): ReadonlyMap<string, number> => new Map(Object.entries(series));

function readingAt(atMs: number, [stableHits, stable]: readonly Series[], [canaryHits, canary]: readonly Series[]): CounterReading {
  return {
    atMs,
    hits: { stable: values(stableHits ?? {}), canary: values(canaryHits ?? {}) },
    all: { stable: values(stable ?? {}), canary: values(canary ?? {}) },
  };
}

const first = readingAt(0, [one(10), one(100)], [one(1), one(10)]);

describe("counters become counts", () => {
  test("the first reading counts nothing: what came before belongs to nobody", () => {
    expect(countsSince(undefined, first)).toEqual({ from: first });
  });

  test("of both sides over the same time", () => {
    const next = readingAt(10_000, [one(15), one(180)], [one(3), one(20)]);
    expect(countsSince(first, next)).toEqual({ from: next, counts: { stableHits: 5, stable: 80, canaryHits: 2, canary: 10 }, beside: [] });
  });

  test("of each variant beside stable by itself", () => {
    const series = (a: number, b: number): Series => ({ '[["","0"]]': a, '[["","1"],["pod","x"]]': b });
    const before = readingAt(0, [one(10), one(100)], [series(1, 2), series(10, 20)]);
    const after = readingAt(10_000, [one(15), one(180)], [series(2, 5), series(14, 26)]);
    expect(countsSince(before, after).beside).toEqual([
      { hits: 1, all: 4 },
      { hits: 3, all: 6 },
    ]);
  });

  test.each([
    { title: "a counter of the canary", next: readingAt(10_000, [one(15), one(180)], [one(0), one(2)]) },
    { title: "a counter of stable", next: readingAt(10_000, [one(9), one(180)], [one(3), one(20)]) },
  ])("where $title began anew, the time until then is dropped on both sides, and counting goes on", ({ next }) => {
    expect(countsSince(first, next)).toEqual({ from: next, problem: "a counter began anew, so the time until then is dropped" });
  });

  test("readings too far apart drop what lies between", () => {
    const next = readingAt(120_001, [one(15), one(180)], [one(3), one(20)]);
    expect(countsSince(first, next)).toEqual({ from: next, problem: "no reading could be counted for 120 s, so that time is dropped" });
    expect(countsSince(first, { ...next, atMs: 120_000 }).counts).toBeDefined();
  });

  test("a series that is new begins to count, and one that is gone counts no more", () => {
    const before = readingAt(
      0,
      [
        { a: 5, b: 5 },
        { a: 50, b: 50 },
      ],
      [one(1), one(10)],
    );
    const next = readingAt(
      10_000,
      [
        { a: 6, c: 900 },
        { a: 60, c: 9_000 },
      ],
      [one(1), one(10)],
    );
    expect(countsSince(before, next).counts).toEqual({ stableHits: 1, stable: 10, canaryHits: 0, canary: 0 });
  });

  test("more hits than all wait for the next reading, and are counted once", () => {
    const early = readingAt(10_000, [one(15), one(180)], [one(9), one(12)]);
    expect(countsSince(first, early)).toEqual({ from: first });
    const next = readingAt(20_000, [one(16), one(200)], [one(9), one(30)]);
    expect(countsSince(first, next).counts).toEqual({ stableHits: 6, stable: 100, canaryHits: 8, canary: 20 });
  });

  test("no series is not zero", () => {
    const next = readingAt(10_000, [one(15), one(180)], [{}, one(20)]);
    expect(countsSince(first, next)).toEqual({
      from: first,
      problem: "`hits` gives no series for canary; where none means 0, add `or vector(0)`",
    });
  });

  test("a query that forgot to sum is refused", () => {
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [String(index), 1]));
    const next = readingAt(10_000, [one(15), many], [one(3), one(20)]);
    expect(countsSince(first, next).problem).toBe("`all` gives 1001 series for stable, more than 1000; sum them");
  });
});

describe("an answer's values", () => {
  test("are the last of each series, in whole numbers, whatever the order of labels", () => {
    const series = [
      { labels: { a: "1", b: "2" }, points: [[0, 1] as const, [1, 2.9] as const] },
      { labels: { b: "2", a: "3" }, points: [[0, Number.NaN] as const] },
      { labels: { c: "4" }, points: [] },
    ];
    expect([...valuesOf(series)]).toEqual([['[["a","1"],["b","2"]]', 2]]);
  });
});

import { describe, expect, test } from "vitest";
import type { RunResult } from "../../../../src/core/simulate/run.ts";
import { harmedUsers, summaryOf } from "../../../../src/core/simulate/summary.ts";

const runOf = (outcome: RunResult["outcome"], atMs: number, harmed = 0): RunResult => ({
  outcome,
  atMs,
  exposed: harmed * 2,
  harmed,
  shares: [
    { atMs: 0, shareBp: 100 },
    { atMs: atMs / 2, shareBp: 5_000 },
  ],
});

const options = { fromMs: 0, requestsPerUser: 10 };

describe("harmed users", () => {
  test.each([
    { title: "one for all the requests it makes, where all fail", exposed: 100, harmed: 100, users: 10 },
    { title: "nearly one for each failure, where few fail", exposed: 10_000, harmed: 10, users: 9.955 },
    { title: "none where nobody met the canary", exposed: 0, harmed: 0, users: 0 },
    { title: "no more than there are", exposed: 100, harmed: 101, users: 10 },
  ])("$title", ({ exposed, harmed, users }) => {
    expect(harmedUsers({ exposed, harmed }, 10)).toBeCloseTo(users, 3);
  });
});

describe("the summary of many runs", () => {
  test("says how many ended how, and half and nine tenths of what it cost", () => {
    const runs = [
      ...Array.from({ length: 6 }, (_, index) => runOf("rolledBack", 1_000 * (index + 1), 10 * (index + 1))),
      ...Array.from({ length: 3 }, () => runOf("promoted", 9_000, 0)),
      runOf("held", 10_000),
    ];
    expect(summaryOf(runs, options)).toMatchObject({
      promoted: 0.3,
      rolledBack: 0.6,
      held: 0.1,
      promotedMs: { median: 9_000, p90: 9_000 },
      rolledBackMs: { median: 4_000, p90: 6_000 },
      harmedRequests: { median: 20, p90: 60 },
      harmedUsers: { median: 4, p90: 12 },
    });
  });

  test("says nothing of times that no run had, and counts them from the fault", () => {
    const back = [runOf("rolledBack", 65_000), runOf("rolledBack", 50_000)];
    expect(summaryOf(back, { ...options, fromMs: 60_000 })).toMatchObject({
      promotedMs: null,
      rolledBackMs: { median: 5_000, p90: 5_000 },
    });
  });

  test("has the middle share over the time that nine of ten runs take", () => {
    const { shares } = summaryOf([runOf("promoted", 1_000), runOf("promoted", 1_000), runOf("promoted", 59_000)], options);
    expect(shares).toHaveLength(60);
    expect([shares[0], shares.at(-1)]).toEqual([
      { atMs: 0, shareBp: 100 },
      { atMs: 59_000, shareBp: 5_000 },
    ]);
  });

  test("of no runs says nothing", () => {
    const { shares, ...rest } = summaryOf([], options);
    const nothing = { promotedMs: null, rolledBackMs: null, harmedRequests: null, harmedUsers: null };
    expect(rest).toEqual({ promoted: 0, rolledBack: 0, held: 0, ...nothing });
    expect(new Set(shares.map(({ shareBp }) => shareBp))).toEqual(new Set([0]));
  });

  test("of runs before their first share has none", () => {
    const late = { ...runOf("held", 1_000), shares: [{ atMs: 500, shareBp: 100 }] };
    expect(summaryOf([late], options).shares[0]).toEqual({ atMs: 0, shareBp: 0 });
  });
});

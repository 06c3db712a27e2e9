import { describe, expect, test } from "vitest";
import { batchOfTick, startOf } from "../../../../src/core/judge/ticks.ts";

const side = { n: 10, errors: 2, hist: [7, 3] };
const known = { ...side, new_failed_keys: 1, known_errors: 1 };
const tick = { t: 0, sec: 5, weight: 0.05, stable: side, canary: { n: 1, errors: 1, hist: [0, 1] } };
const clock = { zeroMs: 60_000, tickMs: 5_000 };

describe("a recorded tick as a batch of evidence", () => {
  test("ends when the tick ends, and says what was decided, what ended and how the share fell", () => {
    expect(batchOfTick(tick, clock, 7)).toEqual({
      nowMs: 70_000,
      run: 7,
      runCanary: 1,
      stable: { decided: 10, settled: 10, requests: 10, failed: 2, latency: [7, 3] },
      canary: { decided: 1, settled: 1, requests: 1, failed: 1, latency: [0, 1] },
      split: { shareBp: 500, canary: 1, all: 11 },
    });
  });

  test("tells of users where the tick does, whole or not at all", () => {
    const batch = batchOfTick({ ...tick, stable: known, canary: { ...known, known_errors: undefined } }, clock, 7);
    expect([batch.stable.users, batch.canary.users]).toEqual([{ newly: 1, knownRequests: 1 }, undefined]);
  });

  test("tells of the first half of stable's hosts where the tick has halves", () => {
    const { halves } = batchOfTick({ ...tick, stable_split: [known, side] }, clock, 7);
    expect(halves).toEqual({ hosts: { requests: 10, failed: 2, latency: [7, 3], users: { newly: 1, knownRequests: 1 } } });
  });
});

describe("the first line before recorded ticks", () => {
  test("is a history of stable alone, in times that begin at 0", () => {
    const history = [
      { t: -2, sec: -10, weight: 0, stable: side },
      { t: -1, sec: -5, weight: 0, stable: side },
    ];
    const begin = startOf({ tickS: 5, bounds: [100], history });
    expect(begin).toMatchObject({ boundsMs: [100], clock: { zeroMs: 10_000, tickMs: 5_000 }, sinceMs: 0, beginMs: 10_000 });
    expect(begin.history.map(({ nowMs, stable, canary }) => [nowMs, stable.requests, canary.requests])).toEqual([
      [5_000, 10, 0],
      [10_000, 10, 0],
    ]);
  });

  test.each([
    { title: "begins at 0 without a history", rolloutSec: undefined, ms: 0 },
    { title: "begins with the first tick where that has a time of its own", rolloutSec: 1_700_000_000, ms: 1_700_000_000_000 },
  ])("$title", ({ rolloutSec, ms }) => {
    const begin = startOf({ tickS: 5, bounds: [100], history: [] }, rolloutSec);
    expect([begin.clock.zeroMs, begin.sinceMs, begin.beginMs]).toEqual([0, ms, ms]);
  });
});

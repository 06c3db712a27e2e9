import { describe, expect, test } from "vitest";
import { LATENCY_BOUNDS_MS, METRICS } from "../../../../src/contract/names.ts";
import { ticksOfCounters } from "../../../../src/core/replay/counter-ticks.ts";

const STEP_MS = 5_000;
const BEGIN_MS = 1_700_000_000_000;

type Counter = Parameters<typeof ticksOfCounters>[0][number];

/** A counter with its values from the begin on, one a step; undefined where nothing was scraped. */
function counter(metric: string, labels: Record<string, string>, values: readonly (number | undefined)[], instance = "a"): Counter {
  const points = new Map<number, readonly number[]>(
    values.flatMap((value, index) => (value === undefined ? [] : [[BEGIN_MS + index * STEP_MS, [value]] as const])),
  );
  return { instance, metric, labels, points };
}
const ok = (variant: string, values: readonly (number | undefined)[], instance?: string) =>
  counter(METRICS.outcomes, { variant, class: "ok" }, values, instance);

function ticksOf(counters: Counter[], steps: number, present: Record<string, number[]> = {}) {
  const seen = new Map(Object.entries(present).map(([instance, at]) => [instance, new Set(at.map((step) => BEGIN_MS + step * STEP_MS))]));
  return ticksOfCounters(counters, seen, { fromMs: BEGIN_MS, toMs: BEGIN_MS + steps * STEP_MS, stepMs: STEP_MS });
}

describe("ticks out of counters", () => {
  test("hold what grew between two moments; what came before the canary is the history", () => {
    const { start, ticks } = ticksOf(
      [
        ok("stable", [100, 110, 130, 160]),
        counter(METRICS.outcomes, { variant: "stable", class: "failed" }, [5, 5, 6, 6]),
        ok("canary", [0, 0, 3, 5]),
        counter(METRICS.outcomes, { variant: "canary", class: "failed" }, [0, 0, 1, 1]),
        counter(METRICS.outcomes, { variant: "canary", class: "aborted" }, [0, 0, 9, 9]),
        counter(METRICS.decisions, { variant: "stable" }, [100, 110, 137, 160]),
        counter(METRICS.decisions, { variant: "canary" }, [0, 0, 3, 5]),
      ],
      3,
    );
    expect([start.tickS, start.bounds]).toEqual([5, [...LATENCY_BOUNDS_MS]]);
    const short = ({ t, sec, weight, stable, canary }: (typeof ticks)[number]) => [
      t,
      sec,
      weight,
      stable.n,
      stable.errors,
      canary.n,
      canary.errors,
    ];
    expect(start.history.map(({ t, sec, stable }) => [t, sec, stable.n])).toEqual([[-1, 1_700_000_000, 10]]);
    expect(ticks.map(short)).toEqual([
      [0, 1_700_000_005, 0.1, 21, 1, 4, 1],
      [1, 1_700_000_010, 2 / 25, 30, 0, 2, 0],
    ]);
  });

  test("count all of a counter that fell, for it began anew", () => {
    expect(ticksOf([ok("canary", [100, 40, 50])], 2).ticks.map(({ canary }) => canary.n)).toEqual([40, 10]);
  });

  test("count a scrape that was missed with the next one", () => {
    expect(ticksOf([ok("canary", [100, undefined, 150]), ok("stable", [1, 2, 3])], 2).ticks.map(({ canary }) => canary.n)).toEqual([50]);
  });

  test.each([
    { title: "whole where its sidecar was there before, as at a new run", present: { a: [0, 1] }, counts: [7, 2] },
    { title: "only from then on where its sidecar was not there either", present: {}, counts: [2] },
  ])("count a counter that is new $title", ({ present, counts }) => {
    expect(ticksOf([ok("canary", [undefined, 7, 9])], 2, present).ticks.map(({ canary }) => canary.n)).toEqual(counts);
  });

  test("bring durations into buckets, and leave out those of other bounds", () => {
    const all = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
    const points = (last: readonly number[]) =>
      new Map([
        [BEGIN_MS, last.map(() => 0)],
        [BEGIN_MS + STEP_MS, last],
      ]);
    const ours = { instance: "a", metric: METRICS.outcomeDuration, labels: { variant: "canary" }, points: points(all.with(3, 8)) };
    const other = { ...ours, points: points([5, 5]) };
    const { ticks } = ticksOf([ok("canary", [0, 8]), ours, other], 1);
    expect(ticks.map(({ canary }) => canary.hist)).toEqual([all.with(3, 8)]);
  });

  test("are none where nobody was on the canary", () => {
    const { start, ticks } = ticksOf([ok("stable", [1, 2, 3])], 2);
    expect([start.history.length, ticks]).toEqual([2, []]);
  });
});

import { fc, test } from "@fast-check/vitest";
import { ValueType } from "@opentelemetry/api";
import { AggregationTemporality, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import { describe, expect } from "vitest";
import { METRICS } from "../../../src/contract/names.ts";
import { createMergedCounts } from "../../../src/sidecar/workers/merged-counts.ts";
import type { WorkerMetrics } from "../../../src/sidecar/workers/messages.ts";

const NAMES = ["a", "b"] as const;
const SLOTS = [0, 1, 2] as const;
const BOUNDS = [1, 5];

/** A worker counts, tells, dies, or lets a series go as a sidecar does with a rollout that is no more. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("count" as const),
      slot: fc.constantFrom(...SLOTS),
      name: fc.constantFrom(...NAMES),
      more: fc.nat(9),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("tell" as const), slot: fc.constantFrom(...SLOTS) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("die" as const), slot: fc.constantFrom(...SLOTS) }) },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

interface Worker {
  readonly startS: number;
  readonly counts: Map<string, number>;
}

const shared = (name: string) => ({
  descriptor: { name, description: "", unit: "", valueType: ValueType.INT },
  aggregationTemporality: AggregationTemporality.CUMULATIVE as const,
});

/** What a worker shows: a counter and a histogram whose one bucket holds all. */
function metricsOf({ startS, counts }: Worker): WorkerMetrics {
  const points = <Value>(value: (count: number) => Value) =>
    [...counts].map(([name, count]) => ({
      startTime: [startS, 0] as [number, number],
      endTime: [startS, 0] as [number, number],
      attributes: { rollout: name },
      value: value(count),
    }));
  return [
    { ...shared("serin_counter"), dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: points((count) => count) },
    {
      ...shared("serin_histogram"),
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: points((count) => ({ buckets: { boundaries: BOUNDS, counts: [0, count, 0] }, sum: count / 10, count })),
    },
  ];
}

/** Counts by series, of the counter and of the histogram's bucket, and the earliest start. */
function shownIn(metrics: readonly MetricData[]): Map<string, readonly [number, number, number]> {
  const found = new Map<string, readonly [number, number, number]>();
  for (const metric of metrics) {
    if (metric.dataPointType === DataPointType.SUM)
      for (const { attributes, value, startTime } of metric.dataPoints) found.set(String(attributes["rollout"]), [value, 0, startTime[0]]);
    if (metric.dataPointType === DataPointType.HISTOGRAM)
      for (const { attributes, value } of metric.dataPoints) {
        const name = String(attributes["rollout"]);
        const [count = 0, , startS = 0] = found.get(name) ?? [];
        found.set(name, [count, value.buckets.counts[1] ?? 0, startS]);
      }
  }
  return found;
}

/** Plays the steps; what was told of each worker that ever lived is what must be shown. */
function play(
  steps: readonly Step[],
  look: (shown: ReadonlyMap<string, readonly [number, number, number]>, told: ReadonlyMap<string, number>) => void,
): void {
  const merged = createMergedCounts(() => undefined);
  const workers = new Map<number, Worker>();
  const told = new Map<string, number>();
  let nowS = 0;
  const lastTold = new Map<number, ReadonlyMap<string, number>>();
  for (const one of steps) {
    nowS += 1;
    const worker = workers.get(one.slot) ?? { startS: nowS, counts: new Map() };
    workers.set(one.slot, worker);
    if (one.does === "count") worker.counts.set(one.name, (worker.counts.get(one.name) ?? 0) + one.more);
    if (one.does === "tell") {
      merged.take(one.slot, metricsOf(worker), nowS * 1_000);
      const before = lastTold.get(one.slot);
      for (const [name, count] of worker.counts) told.set(name, (told.get(name) ?? 0) + count - (before?.get(name) ?? 0));
      lastTold.set(one.slot, new Map(worker.counts));
    }
    if (one.does === "die") {
      merged.gone(one.slot);
      workers.delete(one.slot);
      lastTold.delete(one.slot);
    }
    look(shownIn(merged.merged(new Set(SLOTS), nowS * 1_000)), told);
  }
}

describe("counts of several workers", () => {
  test.prop([fc.array(step, { maxLength: 60 })])("are all that any of them ever told, whoever died since", (steps) => {
    play(steps, (shown, told) => {
      const counts = Object.fromEntries([...shown].map(([name, [counter, bucket]]) => [name, [counter, bucket]]));
      expect(counts).toEqual(Object.fromEntries([...told].map(([name, count]) => [name, [count, count]])));
    });
  });

  test.prop([fc.array(step, { maxLength: 60 })])("never fall, and keep the begin that they had", (steps) => {
    const before = new Map<string, readonly [number, number, number]>();
    play(steps, (shown) => {
      for (const [name, [counter, bucket, startS]] of shown) {
        const [lowest = 0, lowestBucket = 0, begin = startS] = before.get(name) ?? [];
        expect([counter >= lowest, bucket >= lowestBucket, startS <= begin]).toEqual([true, true, true]);
        before.set(name, [counter, bucket, startS]);
      }
    });
  });

  test.prop([fc.array(fc.record({ slot: fc.constantFrom(...SLOTS), count: fc.nat(99) }), { maxLength: 6 }), fc.func(fc.integer())])(
    "are the same in whatever order workers tell them",
    (tellings, order) => {
      const last = [...new Map(tellings.map(({ slot, count }) => [slot, count]))];
      const shown = (pairs: readonly (readonly [number, number])[]) => {
        const merged = createMergedCounts(() => undefined);
        for (const [slot, count] of pairs) merged.take(slot, metricsOf({ startS: slot + 1, counts: new Map([["a", count]]) }), 1_000);
        return shownIn(merged.merged(new Set(SLOTS), 1_000));
      };
      expect(shown(last.toSorted((a, b) => order(a) - order(b)))).toEqual(shown(last));
    },
  );
});

describe("gauges of several workers", () => {
  const gauge = (name: string, value: number, attributes = {}): WorkerMetrics[number] => ({
    ...shared(name),
    dataPointType: DataPointType.GAUGE,
    dataPoints: [{ startTime: [1, 0], endTime: [1, 0], attributes, value }],
  });
  const worker = fc.record({
    epoch: fc.nat(3),
    revision: fc.nat(3),
    ageS: fc.nat(9),
    state: fc.constantFrom("ok", "stale", "unwatched"),
    users: fc.nat(9),
  });

  test.prop([fc.array(worker, { minLength: 1, maxLength: 4 })])(
    "tell of the one furthest behind, the worst state, and the greatest count",
    (workers) => {
      const merged = createMergedCounts(() => undefined);
      for (const [slot, { epoch, revision, ageS, state, users }] of workers.entries())
        merged.take(
          slot,
          [
            gauge(METRICS.ruleEpoch, epoch),
            gauge(METRICS.ruleRevision, revision),
            gauge(METRICS.ruleAge, ageS),
            gauge(METRICS.rulesState, 1, { state }),
            gauge(METRICS.failingUsers, users),
          ],
          1_000,
        );
      const found = new Map(
        merged
          .merged(new Set(workers.keys()), 1_000)
          .flatMap(({ descriptor, dataPointType, dataPoints }) =>
            dataPointType === DataPointType.GAUGE ? [[descriptor.name, dataPoints] as const] : [],
          ),
      );
      const valueOf = (name: string) => found.get(name)?.[0]?.value;
      const [behind] = workers.toSorted((a, b) => a.epoch - b.epoch || a.revision - b.revision);
      expect([valueOf(METRICS.ruleEpoch), valueOf(METRICS.ruleRevision)]).toEqual([behind?.epoch, behind?.revision]);
      expect([valueOf(METRICS.ruleAge), valueOf(METRICS.failingUsers)]).toEqual([
        Math.max(...workers.map(({ ageS }) => ageS)),
        Math.max(...workers.map(({ users }) => users)),
      ]);
      const states = ["ok", "stale", "unwatched"];
      const worst = states[Math.max(...workers.map(({ state }) => states.indexOf(state)))];
      expect(found.get(METRICS.rulesState)?.map(({ attributes }) => attributes["state"])).toEqual([worst]);
    },
  );
});

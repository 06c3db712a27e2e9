import { fc, test } from "@fast-check/vitest";
import { ValueType } from "@opentelemetry/api";
import { AggregationTemporality, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import { describe, expect, test as plain } from "vitest";
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
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant("let go" as const), slot: fc.constantFrom(...SLOTS), name: fc.constantFrom(...NAMES) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

interface Counted {
  readonly startS: number;
  readonly count: number;
}

/** By name of the series. */
type Worker = Map<string, Counted>;

const shared = (name: string) => ({
  descriptor: { name, description: "", unit: "", valueType: ValueType.INT },
  aggregationTemporality: AggregationTemporality.CUMULATIVE as const,
});

/** What a worker shows: a counter and a histogram whose one bucket holds all. */
function metricsOf(worker: ReadonlyMap<string, Counted>): WorkerMetrics {
  const points = <Value>(value: (count: number) => Value) =>
    [...worker].map(([name, { startS, count }]) => ({
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

interface Shown {
  counter: number;
  bucket: number;
  sum: number;
  startS: number;
}

/** Counts by series: of the counter, and of the histogram's bucket and sum. */
function shownIn(metrics: readonly MetricData[]): Map<string, Shown> {
  const found = new Map<string, Shown>();
  const of = (rollout: unknown): Shown => {
    const name = String(rollout);
    const shown = found.get(name) ?? { counter: 0, bucket: 0, sum: 0, startS: 0 };
    found.set(name, shown);
    return shown;
  };
  for (const metric of metrics) {
    if (metric.dataPointType === DataPointType.SUM)
      for (const { attributes, value, startTime } of metric.dataPoints)
        Object.assign(of(attributes["rollout"]), { counter: value, startS: startTime[0] });
    if (metric.dataPointType === DataPointType.HISTOGRAM)
      for (const { attributes, value } of metric.dataPoints)
        Object.assign(of(attributes["rollout"]), { bucket: value.buckets.counts[1], sum: value.sum });
  }
  return found;
}

/** What must be shown: all that was told, until the last of the living that told a series lets it go. */
class Told {
  readonly counts = new Map<string, number>();
  readonly #last = new Map<number, ReadonlyMap<string, Counted>>();
  readonly #letGo = new Set<string>();

  tell(slot: number, worker: ReadonlyMap<string, Counted>): void {
    const before = this.#last.get(slot);
    for (const [name, { startS, count }] of worker) {
      const known = before?.get(name);
      this.counts.set(name, (this.counts.get(name) ?? 0) + count - (known?.startS === startS ? known.count : 0));
      this.#letGo.delete(name);
    }
    for (const name of before?.keys() ?? []) if (!worker.has(name)) this.#letGo.add(name);
    this.#last.set(slot, new Map(worker));
  }

  die(slot: number): void {
    this.#last.delete(slot);
  }

  look(): void {
    for (const name of this.#letGo) if (![...this.#last.values()].some((each) => each.has(name))) this.counts.delete(name);
  }
}

/** Plays the steps, and looks after each. */
function play(steps: readonly Step[], look: (shown: ReadonlyMap<string, Shown>, told: ReadonlyMap<string, number>) => void): void {
  const merged = createMergedCounts(() => undefined);
  const workers = new Map<number, Worker>();
  const told = new Told();
  for (const [nowS, one] of steps.entries()) {
    const worker = workers.get(one.slot) ?? new Map<string, Counted>();
    workers.set(one.slot, worker);
    switch (one.does) {
      case "count": {
        const { startS, count } = worker.get(one.name) ?? { startS: nowS, count: 0 };
        worker.set(one.name, { startS, count: count + one.more });
        break;
      }
      case "tell":
        merged.take(one.slot, metricsOf(worker), nowS * 1_000);
        told.tell(one.slot, worker);
        break;
      case "die":
        merged.gone(one.slot);
        told.die(one.slot);
        workers.delete(one.slot);
        break;
      case "let go":
        worker.delete(one.name);
    }
    told.look();
    look(shownIn(merged.merged(new Set(SLOTS), nowS * 1_000)), told.counts);
  }
}

describe("counts of several workers", () => {
  test.prop([fc.array(step, { maxLength: 60 })])(
    "are all that any of them ever told, whoever died since, until those that live let it go",
    (steps) => {
      play(steps, (shown, told) => {
        const counts = Object.fromEntries([...shown].map(([name, { counter, bucket }]) => [name, [counter, bucket]]));
        expect(counts).toEqual(Object.fromEntries([...told].map(([name, count]) => [name, [count, count]])));
      });
    },
  );

  test.prop([fc.array(step, { maxLength: 60 })])("never fall while they are shown, and keep the begin that they had", (steps) => {
    let before: ReadonlyMap<string, Shown> = new Map();
    play(steps, (shown) => {
      for (const [name, { counter, bucket, sum, startS }] of shown) {
        const least = before.get(name) ?? { counter: 0, bucket: 0, sum: 0, startS };
        expect([counter >= least.counter, bucket >= least.bucket, sum >= least.sum, startS <= least.startS]).toEqual([
          true,
          true,
          true,
          true,
        ]);
      }
      before = shown;
    });
  });

  test.prop([fc.array(fc.record({ slot: fc.constantFrom(...SLOTS), count: fc.nat(99) }), { maxLength: 6 }), fc.func(fc.integer())])(
    "are the same in whatever order workers tell them",
    (tellings, order) => {
      const last = [...new Map(tellings.map(({ slot, count }) => [slot, count]))];
      const shown = (pairs: readonly (readonly [number, number])[]) => {
        const merged = createMergedCounts(() => undefined);
        for (const [slot, count] of pairs) merged.take(slot, metricsOf(new Map([["a", { startS: slot + 1, count }]])), 1_000);
        const found = [...shownIn(merged.merged(new Set(SLOTS), 1_000))];
        // Floats that are added in another order differ by a hair.
        return found.map(([name, each]) => [name, { ...each, sum: Math.round(10 * each.sum) }]);
      };
      expect(shown(last.toSorted((a, b) => order(a) - order(b)))).toEqual(shown(last));
    },
  );

  plain("that only the dead had go after a day without a new one", () => {
    const merged = createMergedCounts(() => undefined);
    merged.take(0, metricsOf(new Map([["a", { startS: 1, count: 4 }]])), 1_000);
    merged.gone(0);
    const shownAt = (nowMs: number) => [...shownIn(merged.merged(new Set(SLOTS), nowMs)).keys()];
    expect([shownAt(86_401_000), shownAt(86_401_001)]).toEqual([["a"], []]);
  });

  plain("of another shape than the first are left out, and their metric is named", () => {
    const misfits: string[] = [];
    const merged = createMergedCounts((name) => misfits.push(name));
    const [counter, histogram] = metricsOf(new Map([["a", { startS: 1, count: 4 }]]));
    merged.take(
      0,
      [counter, histogram].filter((each) => each !== undefined),
      1_000,
    );
    const point = { startTime: [1, 0] as [number, number], endTime: [1, 0] as [number, number], attributes: { rollout: "a" } };
    const value = { buckets: { boundaries: [2], counts: [9, 0] }, sum: 1, count: 9 };
    merged.take(1, [{ ...shared("serin_histogram"), dataPointType: DataPointType.HISTOGRAM, dataPoints: [{ ...point, value }] }], 1_000);
    merged.take(2, [{ ...shared("serin_counter"), dataPointType: DataPointType.HISTOGRAM, dataPoints: [{ ...point, value }] }], 1_000);
    expect(shownIn(merged.merged(new Set(SLOTS), 1_000)).get("a")).toMatchObject({ counter: 4, bucket: 4 });
    expect(misfits).toEqual(["serin_histogram", "serin_counter"]);
  });
});

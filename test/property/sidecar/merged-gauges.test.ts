import { fc, test } from "@fast-check/vitest";
import { ValueType } from "@opentelemetry/api";
import { AggregationTemporality, DataPointType } from "@opentelemetry/sdk-metrics";
import { describe, expect } from "vitest";
import { METRICS } from "../../../src/contract/names.ts";
import { mergeGauges, type WorkerGauge } from "../../../src/sidecar/workers/gauges.ts";

type Values = readonly (readonly [value: number, attributes: Record<string, string>, startS?: number])[];

const gauge = (name: string, values: Values): WorkerGauge => ({
  descriptor: { name, description: "", unit: "", valueType: ValueType.DOUBLE },
  aggregationTemporality: AggregationTemporality.CUMULATIVE,
  dataPointType: DataPointType.GAUGE,
  dataPoints: values.map(([value, attributes, startS = 1]) => ({ startTime: [startS, 0], endTime: [9, 0], attributes, value })),
});

/** Values of a gauge by its `rollout`, or by its `state`. */
const shown = (gauges: readonly WorkerGauge[], name: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    gauges
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints)
      .map(({ attributes, value }) => [String(attributes["rollout"] ?? attributes["state"] ?? ""), value]),
  );

/** What one worker shows of one gauge: some rollouts, not all of which every worker has. */
const some = fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c"), fc.integer({ min: -50, max: 50 })), { selector: ([name]) => name });
const workers = fc.array(some, { minLength: 1, maxLength: 4 });

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

describe("a gauge of several workers", () => {
  const laws = [
    { rule: "the sum", metrics: [METRICS.streamsOpen], of: sum },
    {
      rule: "the mean of those that have it",
      metrics: [METRICS.shareSet, METRICS.shareSeen],
      of: (all: readonly number[]) => sum(all) / all.length,
    },
    { rule: "the least", metrics: [METRICS.natsConnected], of: (all: readonly number[]) => all.toSorted((a, b) => a - b)[0] },
    {
      rule: "the greatest",
      metrics: [
        METRICS.ruleAge,
        METRICS.failingUsers,
        METRICS.knownFailingUsers,
        METRICS.segmentsAwaited,
        METRICS.kills,
        "serin_new_gauge",
      ],
      of: (all: readonly number[]) => all.toSorted((a, b) => b - a)[0],
    },
  ].flatMap(({ metrics, ...law }) => metrics.map((metric) => ({ ...law, metric })));

  for (const { rule, metric, of } of laws)
    test.prop([workers])(`${metric} is ${rule}, series by series`, (all) => {
      const merged = mergeGauges(
        all.map((each) => [
          gauge(
            metric,
            each.map(([rollout, value]) => [value, { rollout }]),
          ),
        ]),
      );
      const names = [...new Set(all.flat().map(([name]) => name))];
      const expected = names.map((name) => [name, of(all.flat().flatMap(([each, value]) => (each === name ? [value] : [])))]);
      expect(shown(merged, metric)).toEqual(Object.fromEntries(expected));
    });

  const state = fc.record({
    epoch: fc.nat(3),
    revision: fc.nat(3),
    sinceS: fc.nat(9),
    state: fc.constantFrom("ok", "stale", "unwatched"),
    share: fc.integer({ min: 0, max: 100 }),
  });
  type State = typeof state extends fc.Arbitrary<infer One> ? One : never;
  const STATES = ["ok", "stale", "unwatched"];
  const gaugesOf = (one: State): WorkerGauge[] => [
    gauge(METRICS.ruleEpoch, [[one.epoch, {}]]),
    gauge(METRICS.ruleRevision, [[one.revision, {}]]),
    gauge(METRICS.rulesSince, [[one.sinceS, {}]]),
    gauge(METRICS.rulesState, [[1, { state: one.state }]]),
    gauge(METRICS.shareSeen, [[one.share, { rollout: "a" }]]),
  ];

  test.prop([fc.array(state, { minLength: 1, maxLength: 4 })])(
    "of the rules is that of the worker furthest behind, and the worst state",
    (all) => {
      const merged = mergeGauges(all.map(gaugesOf));
      const told = [METRICS.ruleEpoch, METRICS.ruleRevision, METRICS.rulesSince].map((name) => shown(merged, name)[""]);
      const [behind] = all.toSorted((a, b) => a.epoch - b.epoch || a.revision - b.revision);
      expect(told.slice(0, 2)).toEqual([behind?.epoch, behind?.revision]);
      // All three are of one worker: a revision says nothing beside another's epoch.
      expect(all.map(({ epoch, revision, sinceS }) => [epoch, revision, sinceS])).toContainEqual(told);
      const worst = STATES[Math.max(...all.map((one) => STATES.indexOf(one.state)))] ?? "";
      expect(shown(merged, METRICS.rulesState)).toEqual({ [worst]: 1 });
    },
  );

  test.prop([
    fc
      .array(state, { minLength: 1, maxLength: 4 })
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
  ])("is the same in whatever order workers answer", ([all, shuffled]) => {
    const of = (some: readonly State[]) => {
      const merged = mergeGauges(some.map(gaugesOf));
      return [METRICS.ruleEpoch, METRICS.ruleRevision, METRICS.rulesState, METRICS.shareSeen].map((name) => shown(merged, name));
    };
    expect(of(shuffled)).toEqual(of(all));
  });

  test.prop([state])("of one worker alone is its own", (one) => {
    expect(mergeGauges([gaugesOf(one)])).toEqual(gaugesOf(one));
  });

  test.prop([fc.array(fc.nat(9), { minLength: 1, maxLength: 4 })])("begins with the first of them", (starts) => {
    const [merged] = mergeGauges(starts.map((startS) => [gauge(METRICS.streamsOpen, [[1, {}, startS]])]));
    expect(merged?.dataPoints[0]?.startTime).toEqual([Math.min(...starts), 0]);
  });
});

import { describe, expect, test } from "vitest";
import { ALERT_RULES } from "../../../scripts/monitoring/alerts.ts";
import { ENVOY_METRICS } from "../../../scripts/monitoring/promql.ts";
import { RECORDED, RECORDING_RULES } from "../../../scripts/monitoring/rules.ts";
import type { MetricFact } from "../../../src/contract/metric-fact.ts";
import { METRIC_FACTS } from "../../../src/contract/metric-facts.ts";
import { boards, filledIn, queriesOf } from "../../support/boards.ts";
import { isRate, readPromql, type Selector } from "../../support/promql.ts";

/** Labels that Prometheus itself puts on a series. */
const SCRAPED = ["job", "instance"];

type Series = Pick<MetricFact, "kind" | "labels">;

/** All names of series, as Prometheus stores them. */
const SERIES = new Map<string, Series>([
  ...METRIC_FACTS.flatMap(({ name, kind, labels }): [string, Series][] =>
    kind === "histogram"
      ? [
          [`${name}_bucket`, { kind: "counter", labels: [...labels, "le"] }],
          [`${name}_count`, { kind: "counter", labels }],
          [`${name}_sum`, { kind: "counter", labels }],
        ]
      : [[name, { kind, labels }]],
  ),
  ...Object.values(ENVOY_METRICS).map((name): [string, Series] => [
    name,
    { kind: name === ENVOY_METRICS.daysOfCertificate ? "gauge" : "counter", labels: [] },
  ]),
  ...Object.values(RECORDED).map((name): [string, Series] => [name, { kind: "gauge", labels: ["rollout", "variant"] }]),
]);

interface Asked {
  readonly where: string;
  readonly expr: string;
}

const fill = (expr: string): string => filledIn(expr, { rollout: "checkout", range: "1m" });
const shown = boards.flatMap(queriesOf);
const all: readonly Asked[] = [
  ...shown.map(({ where, expr }) => ({ where, expr: fill(expr) })),
  ...RECORDING_RULES.map(({ record, expr }) => ({ where: record, expr })),
  ...ALERT_RULES.map(({ alert, expr }) => ({ where: alert, expr })),
];

/** Faults of the queries, each with where it stands. */
const faultsOf = (queries: readonly Asked[], faults: (expr: string) => readonly string[]): string[] =>
  queries.flatMap(({ where, expr }) => faults(expr).map((fault) => `${where}: ${fault}`));

/** Variables over several metrics name them by a pattern: those are left out. */
const selectorsOf = (expr: string): Selector[] => readPromql(expr).selectors.filter(({ metric }) => metric !== "");
const labelsOf = (metric: string): readonly string[] => [...SCRAPED, ...(SERIES.get(metric)?.labels ?? [])];

const nonsenseOf = (expr: string): string[] =>
  selectorsOf(expr).flatMap(({ metric, matched }) => [
    ...(SERIES.has(metric) ? [] : [`nobody shows ${metric}`]),
    ...matched.filter((label) => !labelsOf(metric).includes(label)).map((label) => `${metric} has no ${label}`),
  ]);

/** A counter's value says nothing, nor does the rate of a gauge. A variable asks for labels alone. */
const misreadOf = (expr: string): string[] =>
  selectorsOf(expr).flatMap(({ metric, under }) =>
    isRate(under) === (SERIES.get(metric)?.kind === "counter") ? [] : [`${under}(${metric})`],
  );

test("there are queries", () => {
  expect([shown.length, all.length]).toEqual([expect.any(Number), shown.length + RECORDING_RULES.length + ALERT_RULES.length]);
  expect(shown.length).toBeGreaterThan(100);
});

describe("every query", () => {
  test("asks for series that a program shows, by labels that they have", () => {
    expect(faultsOf(all, nonsenseOf)).toEqual([]);
  });

  test("keeps labels that its series have", () => {
    const missing = (expr: string): string[] => {
      const had = selectorsOf(expr).flatMap(({ metric }) => labelsOf(metric));
      return readPromql(expr).kept.filter((label) => !had.includes(label));
    };
    expect(faultsOf(all, missing)).toEqual([]);
  });

  test("asks how fast counters grow, and never so of gauges", () => {
    const values = all.filter(({ where }) => !where.includes("/ variable /"));
    expect(faultsOf(values, misreadOf)).toEqual([]);
  });
});

describe("every query of a dashboard", () => {
  test("asks only the job and the instance that the reader chose", () => {
    const unbound = (expr: string): string[] =>
      selectorsOf(expr).flatMap(({ metric, matched }) => (SCRAPED.every((label) => matched.includes(label)) ? [] : [metric]));
    const values = shown.filter(({ where }) => !where.includes("/ variable /"));
    expect(
      faultsOf(
        values.map(({ where, expr }) => ({ where, expr: fill(expr) })),
        unbound,
      ),
    ).toEqual([]);
  });

  test("rates over what the scrape interval needs", () => {
    const fixed = (expr: string): string[] =>
      [...expr.matchAll(/\bi?rate\([^[]*\[([^\]]+)\]/g)].flatMap(([, range = ""]) => (range === "$__rate_interval" ? [] : [range]));
    expect(faultsOf(shown, fixed)).toEqual([]);
  });

  test("keeps the labels by which its lines are called", () => {
    const lost = shown.flatMap(({ where, expr, legend }) => {
      const counted = [...expr.matchAll(/count_values\("(\w+)"/g)].map(([, label]) => label);
      const there = [...readPromql(fill(expr)).kept, ...counted];
      return [...legend.matchAll(/\{\{(\w+)\}\}/g)].flatMap(([, label]) => (there.includes(label) ? [] : [`${where}: ${label}`]));
    });
    expect(lost).toEqual([]);
  });
});

test.each([
  { title: "a metric that nobody shows", expr: "serin_nonsense", faults: ["here: nobody shows serin_nonsense"] },
  { title: "a label that a metric has not", expr: 'serin_frozen{rollout="a"}', faults: ["here: serin_frozen has no rollout"] },
])("the tests see $title", ({ expr, faults }) => {
  expect(faultsOf([{ where: "here", expr }], nonsenseOf)).toEqual(faults);
});

test.each(["serin_decisions_total", "rate(serin_frozen[1m])", "sum(rate(serin_frozen[1m]))"])(
  "the tests see that %s says nothing",
  (expr) => {
    expect(misreadOf(expr)).toHaveLength(1);
  },
);

test("the tests see what is no PromQL", () => {
  expect(() => selectorsOf("rate(serin_frozen")).toThrow("no PromQL at");
});

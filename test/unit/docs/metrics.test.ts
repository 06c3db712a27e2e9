import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { metricsPage } from "../../../scripts/metrics-page.ts";
import { BOUNDS_MS } from "../../../src/contract/histogram-bounds.ts";
import { LABEL_FACTS } from "../../../src/contract/metric-fact.ts";
import { METRIC_FACTS } from "../../../src/contract/metric-facts.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { readPromql } from "../../support/promql.ts";

test("docs/metrics.md names metrics that there are", () => {
  const text = readFileSync(join(packageRoot(), "docs", "metrics.md"), "utf8");
  const known = new Set(METRIC_FACTS.map(({ name }) => name));
  const named = text.match(/serin_[a-z_]+/g) ?? [];
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

test("every label of a metric is told, and every label that is told is one", () => {
  const used = new Set(METRIC_FACTS.flatMap(({ labels }) => labels));
  expect(Object.keys(LABEL_FACTS).toSorted()).toEqual([...used].toSorted());
});

test("names say their units: seconds by their end, counters by _total", () => {
  const wrong = METRIC_FACTS.filter(
    ({ name, kind, unit }) => (kind === "counter") !== name.endsWith("_total") || (unit === "seconds") !== /_seconds(_total)?$/.test(name),
  );
  expect(wrong.map(({ name }) => name)).toEqual([]);
});

test("docs/metrics.md asks in PromQL that stands a change of leader, and a time without requests", () => {
  const text = readFileSync(join(packageRoot(), "docs", "metrics.md"), "utf8");
  const asked = [...text.matchAll(/```promql\n(.*?)```/gs)].flatMap(([, block = ""]) => block.trim().split("\n"));
  expect(asked.length).toBeGreaterThan(2);
  for (const expr of asked) expect(readPromql(expr).selectors).not.toEqual([]);
  // Two leaders show a series each, which cannot be matched with each other; and 0 / 0 is a number that no alert sees.
  expect(asked.filter((expr) => /[<>] *on\b|[<>] *serin_|\/ *sum/.test(expr))).toEqual([]);
});

test("a histogram's series are told with its buckets, its sum and its count", () => {
  expect(Object.keys(BOUNDS_MS).toSorted()).toEqual(
    METRIC_FACTS.filter(({ kind }) => kind === "histogram")
      .map(({ name }) => name)
      .toSorted(),
  );
  const rowOf = (name: string) =>
    metricsPage()
      .split("\n")
      .find((line) => line.startsWith(`| \`${name}\``));
  expect(rowOf("serin_request_duration_seconds")).toContain("| rollouts × 11 × 8 × 2 × 26 |");
  expect(rowOf("serin_decision_duration_seconds")).toContain("| 16 |");
  expect(rowOf("serin_frozen")).toContain("| 1 |");
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LABEL_FACTS } from "../../../src/contract/metric-fact.ts";
import { METRIC_FACTS } from "../../../src/contract/metric-facts.ts";
import { packageRoot } from "../../../src/io/package-root.ts";

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

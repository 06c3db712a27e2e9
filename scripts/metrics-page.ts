import { CONTROLLER_FACTS } from "../src/contract/controller-metrics.ts";
import { HALF_METRICS, HALF_NAMES } from "../src/contract/evidence.ts";
import { BOUNDS_MS } from "../src/contract/histogram-bounds.ts";
import { LABEL_FACTS, type MetricFact } from "../src/contract/metric-fact.ts";
import { SIDECAR_FACTS } from "../src/contract/sidecar-metrics.ts";
import { page, table } from "./page.ts";

const quoted = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");

/** A histogram has a series for each bucket, one for what lies beyond the last bound, its sum and its count. */
function mostSeries(name: string, labels: readonly string[]): string {
  const bounds = BOUNDS_MS[name];
  const factors = [...labels.map((label) => LABEL_FACTS[label]?.most ?? ""), ...(bounds === undefined ? [] : [String(bounds.length + 3)])];
  return factors.length === 0 ? "1" : factors.join(" × ");
}

const metricTable = (facts: readonly MetricFact[]): string =>
  table(
    ["Name", "Kind", "Unit", "Labels", "Series at most", "Meaning"],
    facts.map(({ name, kind, unit, labels, meaning }) => [`\`${name}\``, kind, unit, quoted(labels), mostSeries(name, labels), meaning]),
  );

/** The page of all metrics. */
export const metricsPage = (): string =>
  page(
    "Metrics",
    "Sidecars serve these at `/metrics` (127.0.0.1:9464), controllers where `--http` says. [Metrics and traces](../metrics.md) tells how to push them, and what to read first.",
    "A series is there once there is something to count; counters without labels begin at 0. Series of requests are bounded twice: by their labels, and by 60,000 cells of rollout, variant, run and control in a process. What comes beyond that is counted in one more series, which has the label `otel_metric_overflow` alone.",
    "## Sidecar",
    metricTable(SIDECAR_FACTS),
    "## Controller",
    metricTable(CONTROLLER_FACTS),
    "## Labels",
    table(
      ["Label", "Values at most", "Values"],
      Object.entries(LABEL_FACTS).map(([name, { most, meaning }]) => [`\`${name}\``, most, meaning]),
    ),
    "## In evidence alone",
    `In evidence over NATS, and nowhere else, stand \`${HALF_METRICS.outcomes}\` and \`${HALF_METRICS.duration}\`: the part of each series of stable that is in one half of upstream hosts and in one half of users (label \`half\`: ${quoted(HALF_NAMES)}), from which the controller measures how far outcomes come in clumps. A scrape would hold each such series three times.`,
  );

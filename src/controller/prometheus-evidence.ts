import type { Evidence } from "../contract/evidence.ts";
import { RESOURCE } from "../contract/evidence.ts";
import type { ScrapedCounter } from "../io/prometheus-counters.ts";
import { pointsOf } from "./evidence-points.ts";
import { SCRAPED, type SourcedReport } from "./judging.ts";

type Metric = Evidence["resourceMetrics"][number]["scopeMetrics"][number]["metrics"][number];

/**
 * What was scraped, as the reports of sidecars. Nobody says when a series began: one whose value falls has begun anew, and a process
 * that was started again and has counted more than the one before it by the next scrape loses the difference. What was scraped before
 * what was counted already, as by a server that lags behind its twin, is overtaken like a late message; `scrapedAt` is in Unix
 * milliseconds by instance.
 */
export function scrapedReports(
  counters: readonly ScrapedCounter[],
  atMs: number,
  scrapedAt: ReadonlyMap<string, number> = new Map(),
): SourcedReport[] {
  const byInstance = new Map<string, Metric[]>();
  for (const counter of counters) {
    const values = counter.points.get(atMs);
    if (values === undefined) continue;
    byInstance.set(counter.instance, [...(byInstance.get(counter.instance) ?? []), metricOf(counter, values)]);
  }
  return [...byInstance].map(([instance, metrics]) => {
    const sequence = { key: RESOURCE.sequence, value: { intValue: String(scrapedAt.get(instance) ?? 0) } };
    const resource = { attributes: [sequence] };
    return { sidecar: SCRAPED + instance, report: pointsOf({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] }) };
  });
}

function metricOf({ metric: name, labels, bounds }: ScrapedCounter, values: readonly number[]): Metric {
  const attributes = Object.entries(labels).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const point = { attributes, startTimeUnixNano: "0", timeUnixNano: "0" };
  if (bounds === undefined)
    return { name, sum: { dataPoints: [{ ...point, asDouble: values[0] ?? 0 }], aggregationTemporality: 2, isMonotonic: true } };
  const count = values.reduce((sum, value) => sum + value, 0);
  const histogram = { ...point, count, bucketCounts: [...values], explicitBounds: [...bounds] };
  return { name, histogram: { dataPoints: [histogram], aggregationTemporality: 2 } };
}

import type { Attributes, HrTime } from "@opentelemetry/api";
import type { DataPoint, MetricData } from "@opentelemetry/sdk-metrics";
import { LATENCY_BOUNDS_MS, METRICS } from "../contract/names.ts";
import { CUMULATIVE, POINT, VALUE } from "../io/metric-kinds.ts";
import type { Cell } from "./cells.ts";

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1_000_000)];
const BOUNDS_S = LATENCY_BOUNDS_MS.map((bound) => bound / 1_000);

/** A gauge or counter of the sidecar itself. */
export interface Reading {
  readonly name: string;
  readonly description: string;
  readonly kind: "counter" | "gauge";
  readonly values: readonly { readonly attributes: Attributes; readonly value: number }[];
}

/** Cells as OpenTelemetry metrics, cumulative since each cell began. */
export function cellMetrics(cells: readonly Cell[], nowMs: number): MetricData[] {
  const point = <T>(cell: Cell, value: T, more: Attributes = {}): DataPoint<T> => ({
    startTime: hrTime(cell.startMs),
    endTime: hrTime(nowMs),
    attributes: { ...labelsOf(cell), ...more },
    value,
  });
  const decisions = cells.flatMap((cell) => [...cell.decisions].map(([reason, count]) => point(cell, count, { reason })));
  const outcomes = cells.flatMap((cell) =>
    Object.entries(cell.outcomes)
      .filter(([, count]) => count > 0)
      .map(([outcome, count]) => point(cell, count, { class: outcome })),
  );
  const histograms = cells
    .filter((cell) => cell.latency.some((count) => count > 0))
    .map((cell) => {
      const count = cell.latency.reduce((sum, each) => sum + each, 0);
      return point(cell, { buckets: { boundaries: BOUNDS_S, counts: [...cell.latency] }, count, sum: cell.latencySumMs / 1_000 });
    });
  const settled = cells.filter((cell) => cell.settled > 0).map((cell) => point(cell, cell.settled));
  return [
    sum(METRICS.decisions, "Requests decided.", decisions),
    sum(METRICS.outcomes, "Requests ended, by Envoy's access log.", outcomes),
    sum(METRICS.settled, "Decided requests that no one waits for any more.", settled),
    {
      descriptor: {
        name: METRICS.outcomeDuration,
        description: "Time of ended requests at the upstream.",
        unit: "s",
        valueType: VALUE.DOUBLE,
      },
      aggregationTemporality: CUMULATIVE,
      dataPointType: POINT.HISTOGRAM,
      dataPoints: histograms,
    },
  ];
}

/** The sidecar's own readings as OpenTelemetry metrics. */
export function readingMetrics(readings: readonly Reading[], startedAtMs: number, nowMs: number): MetricData[] {
  return readings.map(({ name, description, kind, values }) => {
    const dataPoints = values.map(({ attributes, value }) => ({
      startTime: hrTime(startedAtMs),
      endTime: hrTime(nowMs),
      attributes,
      value,
    }));
    if (kind === "counter") return sum(name, description, dataPoints);
    return {
      descriptor: { name, description, unit: "", valueType: VALUE.DOUBLE },
      aggregationTemporality: CUMULATIVE,
      dataPointType: POINT.GAUGE,
      dataPoints,
    };
  });
}

const sum = (name: string, description: string, dataPoints: DataPoint<number>[]): MetricData => ({
  descriptor: { name, description, unit: "", valueType: VALUE.INT },
  aggregationTemporality: CUMULATIVE,
  dataPointType: POINT.SUM,
  dataPoints,
  isMonotonic: true,
});

const labelsOf = ({ labels }: Cell): Attributes => ({
  rollout: labels.rollout,
  variant: labels.variant,
  run: String(labels.run),
  control: String(labels.control),
});

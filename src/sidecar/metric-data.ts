import type { Attributes, HrTime } from "@opentelemetry/api";
import type { DataPoint, MetricData } from "@opentelemetry/sdk-metrics";
import { LATENCY_BOUNDS_MS, METRICS } from "../contract/names.ts";
import { CUMULATIVE, POINT, VALUE } from "../io/metric-kinds.ts";
import type { Cell } from "./cell.ts";

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1_000_000)];
const BOUNDS_S = LATENCY_BOUNDS_MS.map((bound) => bound / 1_000);

/** A gauge or counter of the sidecar itself. */
export interface Reading {
  readonly name: string;
  readonly description: string;
  readonly kind: "counter" | "gauge";
  readonly values: readonly { readonly attributes: Attributes; readonly value: number }[];
}

type CellMetric = (cells: readonly Cell[], nowMs: number) => MetricData;

const CELL_METRICS: readonly CellMetric[] = [
  (cells, nowMs) => {
    const points = cells.flatMap((cell) => countedPoints(cell, nowMs, { counts: cell.decisions, label: "reason" }));
    return sum(METRICS.decisions, "Requests decided.", points);
  },
  (cells, nowMs) => {
    const points = cells.flatMap((cell) => countedPoints(cell, nowMs, { counts: cell.outcomes, label: "class" }));
    return sum(METRICS.outcomes, "Requests ended, by Envoy's access log.", points);
  },
  (cells, nowMs) => {
    const points = cells.filter(({ settled }) => settled > 0).map((cell) => pointOf(cell, nowMs, labelsOf(cell), cell.settled));
    return sum(METRICS.settled, "Decided requests that no one waits for any more.", points);
  },
  (cells, nowMs) => {
    const points = cells.filter(({ elsewhere }) => elsewhere > 0).map((cell) => pointOf(cell, nowMs, labelsOf(cell), cell.elsewhere));
    return sum(METRICS.clusterMissing, "Canary decided, answered by another cluster.", points);
  },
  (cells, nowMs) => ({
    descriptor: {
      name: METRICS.outcomeDuration,
      description: "Time of ended requests at the upstream.",
      unit: "s",
      valueType: VALUE.DOUBLE,
    },
    aggregationTemporality: CUMULATIVE,
    dataPointType: POINT.HISTOGRAM,
    dataPoints: cells.flatMap((cell) => {
      if (cell.latency === undefined) return [];
      const count = cell.latency.reduce((total, each) => total + each, 0);
      const buckets = { boundaries: BOUNDS_S, counts: [...cell.latency] };
      return [pointOf(cell, nowMs, labelsOf(cell), { buckets, count, sum: cell.latencySumMs / 1_000 })];
    }),
  }),
];

/** Cells as OpenTelemetry metrics, cumulative since each cell began. */
export const cellMetrics = (cells: readonly Cell[], nowMs: number): MetricData[] => CELL_METRICS.map((metric) => metric(cells, nowMs));

/** Cells in one part; a scrape makes one part's text in half a millisecond. */
const CELLS_A_PART = 50;

/** The same in parts of some cells, one metric after the other; each part is of the moment that it is asked for. */
export function* cellMetricParts(cells: () => Iterable<Cell>, nowMs: () => number): Generator<MetricData> {
  for (const metric of CELL_METRICS) {
    let some: Cell[] = [];
    for (const cell of cells()) {
      some.push(cell);
      if (some.length < CELLS_A_PART) continue;
      yield metric(some, nowMs());
      some = [];
    }
    // An empty one as well: a metric without series is shown by its name.
    yield metric(some, nowMs());
  }
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

const pointOf = <T>({ startMs }: Cell, nowMs: number, attributes: Attributes, value: T): DataPoint<T> => ({
  startTime: hrTime(startMs),
  endTime: hrTime(nowMs),
  attributes,
  value,
});

interface Counted {
  readonly counts: Readonly<Record<string, number>>;
  /** Names what the counts are apart by. */
  readonly label: "reason" | "class";
}

/** A point for each of these counts that is not 0. */
const countedPoints = (cell: Cell, nowMs: number, { counts, label }: Counted): DataPoint<number>[] =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => pointOf(cell, nowMs, { ...labelsOf(cell), [label]: name }, count));

const labelsOf = ({ labels }: Cell): Attributes => ({
  rollout: labels.rollout,
  variant: labels.variant,
  run: String(labels.run),
  control: String(labels.control),
});

import type { Attributes, HrTime } from "@opentelemetry/api";
import type { DataPoint, Histogram, MetricData } from "@opentelemetry/sdk-metrics";
import { HALF_METRICS, HALF_NAMES, type HalfName } from "../contract/evidence.ts";
import { LATENCY_BOUNDS_MS, METRICS } from "../contract/names.ts";
import { CUMULATIVE, POINT, VALUE } from "../io/metric-kinds.ts";
import type { Cell, HalfCell } from "./cell.ts";

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
  (cells, nowMs) => {
    const points = cells.flatMap((cell) => {
      if (cell.latency === undefined) return [];
      return [pointOf(cell, nowMs, labelsOf(cell), { ...bucketsOf(cell.latency), sum: cell.latencySumMs / 1_000 })];
    });
    return histogram(METRICS.outcomeDuration, "Time of ended requests at the upstream.", points);
  },
];

const halfOutcomes: CellMetric = (cells, nowMs) => {
  const points = cells.flatMap((cell) =>
    halvesOf(cell).flatMap(({ name, half: { ok, failed } }) =>
      countedPoints(cell, nowMs, { counts: { ok, failed }, label: "class" }, { half: name }),
    ),
  );
  return sum(HALF_METRICS.outcomes, "Requests of stable ended, of one half of hosts or of users.", points);
};

const halfDurations: CellMetric = (cells, nowMs) => {
  const points = cells.flatMap((cell) =>
    halvesOf(cell).map(({ name, half }) => pointOf(cell, nowMs, { ...labelsOf(cell), half: name }, bucketsOf(half.latency))),
  );
  return histogram(HALF_METRICS.duration, "The same for their time.", points);
};

const halvesOf = ({ halves }: Cell): { name: HalfName; half: HalfCell }[] =>
  halves === undefined ? [] : HALF_NAMES.map((name) => ({ name, half: halves[name] }));

const bucketsOf = (latency: readonly number[]): Histogram => ({
  buckets: { boundaries: BOUNDS_S, counts: [...latency] },
  count: latency.reduce((total, each) => total + each, 0),
});

/** Cells as OpenTelemetry metrics for evidence, halves of stable included; cumulative since each cell began. */
export const evidenceMetrics = (cells: readonly Cell[], nowMs: number): MetricData[] =>
  [...CELL_METRICS, halfOutcomes, halfDurations].map((metric) => metric(cells, nowMs));

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

const histogram = (name: string, description: string, dataPoints: DataPoint<Histogram>[]): MetricData => ({
  descriptor: { name, description, unit: "s", valueType: VALUE.DOUBLE },
  aggregationTemporality: CUMULATIVE,
  dataPointType: POINT.HISTOGRAM,
  dataPoints,
});

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
const countedPoints = (cell: Cell, nowMs: number, { counts, label }: Counted, more: Attributes = {}): DataPoint<number>[] =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => pointOf(cell, nowMs, { ...labelsOf(cell), ...more, [label]: name }, count));

const labelsOf = ({ labels }: Cell): Attributes => ({
  rollout: labels.rollout,
  variant: labels.variant,
  run: String(labels.run),
  control: String(labels.control),
});

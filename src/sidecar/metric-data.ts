import type { Attributes } from "@opentelemetry/api";
import type { DataPoint, Histogram, MetricData } from "@opentelemetry/sdk-metrics";
import { HALF_METRICS, HALF_NAMES, type HalfName } from "../contract/evidence.ts";
import { LATENCY_BOUNDS_MS, METRICS } from "../contract/names.ts";
import { type Distribution, histogramOf } from "../io/distribution.ts";
import { histogramMetric, pointOf, sumMetric } from "../io/metric-points.ts";
import type { Cell, HalfCell } from "./cell.ts";
import { grpcCounts } from "./grpc-counts.ts";

const BOUNDS_S = LATENCY_BOUNDS_MS.map((bound) => bound / 1_000);

/** Zeros are for rates alone: of a series that begins at its last value none is known. */
type CellMetric = (cells: readonly Cell[], nowMs: number, withZeros?: boolean) => MetricData;

/** What the controller judges. */
const JUDGED: readonly CellMetric[] = [
  counted(METRICS.decisions, "reason", ({ decisions }) => decisions),
  counted(METRICS.outcomes, "class", ({ outcomes }) => outcomes, ["ok", "failed"]),
  plain(METRICS.settled, ({ settled }) => settled),
  plain(METRICS.clusterMissing, ({ elsewhere }) => elsewhere),
  timed(
    METRICS.outcomeDuration,
    ({ latency, latencySumMs }) => latency && { boundsMs: LATENCY_BOUNDS_MS, counts: latency, sumMs: latencySumMs },
  ),
];

/** What only people look at. */
const SHOWN: readonly CellMetric[] = [
  counted(METRICS.grpcOutcomes, "grpc_status", ({ grpc }) => grpcCounts(grpc)),
  plain(METRICS.rescued, ({ rescued }) => rescued),
  timed(METRICS.requestDuration, ({ endToEnd }) => endToEnd),
  timed(METRICS.firstByteDuration, ({ firstByte }) => firstByte),
];

/** `zeros` are those that are shown before the first. */
function counted(
  name: string,
  label: Counted["label"],
  countsOf: (cell: Cell) => Counted["counts"],
  zeros: readonly string[] = [],
): CellMetric {
  return (cells, nowMs, withZeros) =>
    sumMetric(
      name,
      cells.flatMap((cell) => countedPoints(cell, nowMs, { counts: countsOf(cell), label, zeros: withZeros === true ? zeros : [] })),
    );
}

function plain(name: string, countOf: (cell: Cell) => number): CellMetric {
  return (cells, nowMs, withZeros) =>
    sumMetric(
      name,
      cells.filter((cell) => withZeros === true || countOf(cell) > 0).map((cell) => cellPoint(cell, nowMs, labelsOf(cell), countOf(cell))),
    );
}

function timed(name: string, timesOf: (cell: Cell) => Distribution | undefined): CellMetric {
  return (cells, nowMs) =>
    histogramMetric(
      name,
      cells.flatMap((cell) => {
        const times = timesOf(cell);
        return times === undefined ? [] : [cellPoint(cell, nowMs, labelsOf(cell), histogramOf(times))];
      }),
    );
}

const halfOutcomes: CellMetric = (cells, nowMs) => {
  const points = cells.flatMap((cell) =>
    halvesOf(cell).flatMap(({ name, half: { ok, failed } }) =>
      countedPoints(cell, nowMs, { counts: { ok, failed }, label: "class", zeros: [] }, { half: name }),
    ),
  );
  return sumMetric(HALF_METRICS.outcomes, points);
};

const halfDurations: CellMetric = (cells, nowMs) => {
  const points = cells.flatMap((cell) =>
    halvesOf(cell).map(({ name, half }) => cellPoint(cell, nowMs, { ...labelsOf(cell), half: name }, bucketsOf(half.latency))),
  );
  return histogramMetric(HALF_METRICS.duration, points);
};

const halvesOf = ({ halves }: Cell): { name: HalfName; half: HalfCell }[] =>
  halves === undefined ? [] : HALF_NAMES.map((name) => ({ name, half: halves[name] }));

const bucketsOf = (latency: readonly number[]): Histogram => ({
  buckets: { boundaries: BOUNDS_S, counts: [...latency] },
  count: latency.reduce((total, each) => total + each, 0),
});

/** Cells as OpenTelemetry metrics for evidence, halves of stable included; cumulative since each cell began. Words for people would travel with each message. */
export const evidenceMetrics = (cells: readonly Cell[], nowMs: number): MetricData[] =>
  [...JUDGED, halfOutcomes, halfDurations].map((metric) => {
    const data = metric(cells, nowMs);
    return { ...data, descriptor: { ...data.descriptor, description: "" } };
  });

/** Cells in one part; a scrape makes one part's text in half a millisecond. */
const CELLS_A_PART = 50;

/** The same, and what only people look at, in parts of some cells, one metric after the other; each part is of the moment that it is asked for. */
export function* cellMetricParts(cells: () => Iterable<Cell>, nowMs: () => number): Generator<MetricData> {
  for (const metric of [...JUDGED, ...SHOWN]) {
    let some: Cell[] = [];
    for (const cell of cells()) {
      some.push(cell);
      if (some.length < CELLS_A_PART) continue;
      yield metric(some, nowMs(), true);
      some = [];
    }
    // An empty one as well: a metric without series is shown by its name.
    yield metric(some, nowMs(), true);
  }
}

const cellPoint = <T>({ startMs }: Cell, nowMs: number, attributes: Attributes, value: T): DataPoint<T> =>
  pointOf(attributes, value, { startMs, nowMs });

interface Counted {
  readonly counts: Readonly<Record<string, number>>;
  /** Names what the counts are apart by. */
  readonly label: "reason" | "class" | "grpc_status";
  readonly zeros: readonly string[];
}

/** A point for each of these counts that is not 0, or is one of `zeros`. */
const countedPoints = (cell: Cell, nowMs: number, { counts, label, zeros }: Counted, more: Attributes = {}): DataPoint<number>[] =>
  Object.entries(counts)
    .filter(([name, count]) => count > 0 || zeros.includes(name))
    .map(([name, count]) => cellPoint(cell, nowMs, { ...labelsOf(cell), ...more, [label]: name }, count));

/** As OpenTelemetry's own SDK says it. */
const OVERFLOW: Attributes = { otel_metric_overflow: "true" };

const labelsOf = ({ labels, isOverflow }: Cell): Attributes =>
  isOverflow ? OVERFLOW : { rollout: labels.rollout, variant: labels.variant, run: String(labels.run), control: String(labels.control) };

import type { Attributes, HrTime } from "@opentelemetry/api";
import type { MetricData } from "@opentelemetry/sdk-metrics";
import { POINT } from "../../io/metric-kinds.ts";
import { hrTime } from "../../io/metric-points.ts";
import { mergeGauges, type WorkerGauge } from "./gauges.ts";
import type { WorkerMetrics } from "./messages.ts";
import { earlier, seriesKey } from "./series-key.ts";

/** The metrics of several processes as one set. */
export interface MergedCounts {
  /** Takes all that the living process of this slot shows now. */
  take(slot: number, metrics: WorkerMetrics, nowMs: number): void;
  /** The process of this slot is dead; what it had counted stays. The next `take` is of another process. */
  gone(slot: number): void;
  /** All counts as of now, and the gauges of the slots given. */
  merged(answering: ReadonlySet<number>, nowMs: number): MetricData[];
}

type Cumulative = Exclude<WorkerMetrics[number], WorkerGauge>;

/** What was counted in one series; a plain counter has a count only. */
interface Total {
  readonly count: number;
  readonly sum: number;
  readonly buckets: readonly number[];
}

interface Part {
  readonly start: HrTime;
  readonly total: Total;
  /** Number of the `take` that brought it. */
  readonly taken: number;
}

interface Series {
  readonly attributes: Attributes;
  start: HrTime;
  /** Counts of processes that died or let the series go. */
  kept: Total;
  /** Of the living, by slot. */
  readonly parts: Map<number, Part>;
  /** True when a process that lived on let it go, as a sidecar does with a rollout that is no more. */
  isLetGo: boolean;
  lastSeenMs: number;
  /** Additions in another order round otherwise, and a sum that is smaller by a hair counts as a restart in Prometheus. */
  shownSum: number;
}

interface Family {
  readonly like: Cumulative;
  /** Of its histograms; those of the first one hold. */
  boundaries: readonly number[] | undefined;
  readonly series: Map<string, Series>;
}

/** A series that only the dead had may come back with the next request: quiet hours must not end it. */
const KEPT_MS = 86_400_000;

const NOTHING: Total = { count: 0, sum: 0, buckets: [] };

/** Starts empty. `onMisfit` hears the name of a metric whose shape is not that of the others of its name; it is left out. */
export function createMergedCounts(onMisfit: (name: string) => void): MergedCounts {
  const families = new Map<string, Family>();
  const gauges = new Map<number, readonly WorkerGauge[]>();
  let takes = 0;
  const allSeries = (): Series[] => [...families.values()].flatMap(({ series }) => [...series.values()]);
  const takeCounts = (slot: number, metric: Cumulative, nowMs: number): void => {
    const family = familyFor(families, metric);
    const points = pointsOf(metric).filter((point) => fits(family, metric, point));
    if (points.length < metric.dataPoints.length) onMisfit(metric.descriptor.name);
    for (const { attributes, start, total } of points) {
      const series = seriesFor(family, attributes, start);
      const before = series.parts.get(slot);
      if (before !== undefined && isAnew(before, { start, total })) series.kept = add(series.kept, before.total);
      series.parts.set(slot, { start, total, taken: takes });
      series.start = earlier(series.start, start);
      series.lastSeenMs = nowMs;
      series.isLetGo = false;
    }
  };
  return {
    take(slot, metrics, nowMs) {
      takes += 1;
      gauges.set(
        slot,
        metrics.filter((metric) => metric.dataPointType === POINT.GAUGE),
      );
      for (const metric of metrics) if (metric.dataPointType !== POINT.GAUGE) takeCounts(slot, metric, nowMs);
      for (const series of allSeries()) {
        const part = series.parts.get(slot);
        if (part === undefined || part.taken === takes) continue;
        keep(series, slot);
        series.isLetGo = true;
      }
    },
    gone(slot) {
      gauges.delete(slot);
      for (const series of allSeries()) keep(series, slot);
    },
    merged(answering, nowMs) {
      const counts = [...families.values()].map((family) => shown(family, nowMs));
      return [...counts, ...mergeGauges([...gauges].filter(([slot]) => answering.has(slot)).map(([, each]) => each))];
    },
  };
}

/** What a living process had counted stays when it is there no more. */
function keep(series: Series, slot: number): void {
  const part = series.parts.get(slot);
  if (part === undefined) return;
  series.kept = add(series.kept, part.total);
  series.parts.delete(slot);
}

/** A sidecar may let a series go and begin it anew between two questions. */
const isAnew = (before: Pick<Part, "start" | "total">, now: Pick<Part, "start" | "total">): boolean =>
  now.total.count < before.total.count || now.start[0] !== before.start[0] || now.start[1] !== before.start[1];

const add = (one: Total, other: Total): Total => ({
  count: one.count + other.count,
  sum: one.sum + other.sum,
  buckets: Array.from(
    { length: Math.max(one.buckets.length, other.buckets.length) },
    (_, index) => (one.buckets[index] ?? 0) + (other.buckets[index] ?? 0),
  ),
});

interface Point {
  readonly attributes: Attributes;
  readonly start: HrTime;
  readonly total: Total;
  /** Undefined for a plain counter. */
  readonly boundaries: readonly number[] | undefined;
}

function pointsOf(metric: Cumulative): Point[] {
  if (metric.dataPointType === POINT.SUM)
    return metric.dataPoints.map(({ attributes, startTime, value }) => ({
      attributes,
      start: startTime,
      total: { ...NOTHING, count: value },
      boundaries: undefined,
    }));
  return metric.dataPoints.map(({ attributes, startTime, value: { count, sum, buckets } }) => ({
    attributes,
    start: startTime,
    total: { count, sum, buckets: buckets.counts },
    boundaries: buckets.boundaries,
  }));
}

function familyFor(families: Map<string, Family>, metric: Cumulative): Family {
  const found = families.get(metric.descriptor.name);
  if (found !== undefined) return found;
  const family: Family = { like: metric, boundaries: undefined, series: new Map() };
  families.set(metric.descriptor.name, family);
  return family;
}

/** Workers are of one program, unless it was replaced on disk before one of them was started again. */
function fits(family: Family, metric: Cumulative, { boundaries }: Point): boolean {
  if (family.like.dataPointType !== metric.dataPointType) return false;
  if (boundaries === undefined) return true;
  family.boundaries ??= boundaries;
  const { boundaries: ours } = family;
  return ours.length === boundaries.length && ours.every((bound, index) => bound === boundaries[index]);
}

function seriesFor({ series }: Family, attributes: Attributes, start: HrTime): Series {
  const key = seriesKey(attributes);
  const found = series.get(key);
  if (found !== undefined) return found;
  const begun: Series = { attributes, start, kept: NOTHING, parts: new Map(), isLetGo: false, lastSeenMs: 0, shownSum: 0 };
  series.set(key, begun);
  return begun;
}

/** The family as of now; what nobody has any more goes. */
function shown({ like, boundaries = [], series: all }: Family, nowMs: number): MetricData {
  for (const [key, { parts, isLetGo, lastSeenMs }] of all)
    if (parts.size === 0 && (isLetGo || nowMs - lastSeenMs > KEPT_MS)) all.delete(key);
  const points = [...all.values()].map((series) => {
    const total = [...series.parts.values()].reduce((sum, part) => add(sum, part.total), series.kept);
    series.shownSum = Math.max(series.shownSum, total.sum);
    return { attributes: series.attributes, startTime: series.start, endTime: hrTime(nowMs), total, sum: series.shownSum };
  });
  if (like.dataPointType === POINT.SUM)
    return {
      ...like,
      dataPoints: points.map(({ attributes, startTime, endTime, total }) => ({ attributes, startTime, endTime, value: total.count })),
    };
  return {
    ...like,
    dataPoints: points.map(({ total, sum, ...point }) => ({
      ...point,
      value: { buckets: { boundaries: [...boundaries], counts: [...total.buckets] }, count: total.count, sum },
    })),
  };
}

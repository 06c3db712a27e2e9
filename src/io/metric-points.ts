import type { Attributes, HrTime } from "@opentelemetry/api";
import type { DataPoint, Histogram, MetricData } from "@opentelemetry/sdk-metrics";
import type { MetricFact } from "../contract/metric-fact.ts";
import { METRIC_FACTS } from "../contract/metric-facts.ts";
import { type Distribution, histogramOf } from "./distribution.ts";
import { CUMULATIVE, POINT, VALUE } from "./metric-kinds.ts";

/** A gauge or counter at one moment; which of them it is, and the words for it, stand in the table of facts. */
export interface Reading {
  readonly name: string;
  readonly values: readonly { readonly attributes: Attributes; readonly value: number }[];
}

/** From when something was counted until now, Unix milliseconds. */
export interface Span {
  readonly startMs: number;
  readonly nowMs: number;
}

/** Unix milliseconds as OpenTelemetry has them. */
export const hrTime = (ms: number): HrTime => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1_000_000)];

/** A value without labels, or with these. */
export const reading = (name: string, value: number, attributes: Attributes = {}): Reading => ({ name, values: [{ attributes, value }] });

/** A point of a metric. */
export const pointOf = <T>(attributes: Attributes, value: T, { startMs, nowMs }: Span): DataPoint<T> => ({
  startTime: hrTime(startMs),
  endTime: hrTime(nowMs),
  attributes,
  value,
});

/** A reading as an OpenTelemetry metric. */
export function metricOf({ name, values }: Reading, span: Span): MetricData {
  const points = values.map(({ attributes, value }) => pointOf(attributes, value, span));
  if (FACTS.get(name)?.kind === "counter") return sumMetric(name, points);
  return { ...headOf(name, VALUE.DOUBLE), dataPointType: POINT.GAUGE, dataPoints: points };
}

/** A distribution as one. */
export const distributionMetric = (name: string, distribution: Distribution, span: Span): MetricData =>
  histogramMetric(name, [pointOf({}, histogramOf(distribution), span)]);

/** A counter from its points; whole numbers, but for seconds. */
export const sumMetric = (name: string, dataPoints: DataPoint<number>[]): MetricData => ({
  ...headOf(name, isSeconds(name) ? VALUE.DOUBLE : VALUE.INT),
  dataPointType: POINT.SUM,
  isMonotonic: true,
  dataPoints,
});

/** A histogram from its points. */
export const histogramMetric = (name: string, dataPoints: DataPoint<Histogram>[]): MetricData => ({
  ...headOf(name, VALUE.DOUBLE),
  dataPointType: POINT.HISTOGRAM,
  dataPoints,
});

const FACTS: ReadonlyMap<string, MetricFact> = new Map(METRIC_FACTS.map((each) => [each.name, each]));

const isSeconds = (name: string): boolean => FACTS.get(name)?.unit === "seconds";

/** A gauge has no temporality, but the type asks for it. */
const headOf = (name: string, valueType: MetricData["descriptor"]["valueType"]) => ({
  descriptor: { name, description: FACTS.get(name)?.meaning ?? "", unit: isSeconds(name) ? "s" : "", valueType },
  aggregationTemporality: CUMULATIVE,
});

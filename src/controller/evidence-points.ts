import {
  type Evidence,
  type EvidenceMetric,
  HALF_METRICS,
  HALF_NAMES,
  type HalfName,
  LABELS,
  OutcomeClassSchema,
  RESOURCE,
} from "../contract/evidence.ts";
import { LATENCY_BOUNDS_MS, METRICS } from "../contract/names.ts";
import { PATTERNS, type VariantName } from "../contract/rollout.ts";

/** What a series counts; `shared` was decided by share. `latency` holds one value a bucket of the contract's bounds, the others a single value. */
type Measure = "shared" | "decided" | "settled" | "elsewhere" | "ok" | "failed" | "refused" | "latency";

/** Cumulative values of one series of one rollout, as a sidecar reports them. */
export interface Point {
  readonly rollout: string;
  /** Names the series among all of the same sidecar and rollout. */
  readonly series: string;
  readonly measure: Measure;
  /** Of which half of the series; undefined for all of it. */
  readonly half?: HalfName | undefined;
  readonly variant: VariantName;
  readonly control: boolean;
  readonly run: number;
  /** Unix nanoseconds; beyond what a number holds exactly. */
  readonly start: bigint;
  readonly values: readonly number[];
}

/** One evidence message, reduced to what the controller counts. */
export interface Report {
  /** Counts up by one with each message of a process, from 1; 0 when the sender does not say. */
  readonly sequence: number;
  readonly points: readonly Point[];
  /** Series that belong to Serin and cannot be read, like another set of latency bounds. */
  readonly unreadable: number;
}

type Attribute = Evidence["resourceMetrics"][number]["resource"]["attributes"][number];
type Raw = Readonly<{ attributes: readonly Attribute[]; startTimeUnixNano: Nanos; values: readonly number[] }>;
type Nanos = string | number | { low: number; high: number };

/** What the labels of a series say; undefined where it is nothing that is counted. */
type Series = Omit<Point, "start" | "values"> | "unreadable" | undefined;

/** Series that were read before, by the text of their labels: the same ones come again and again. */
export type KnownSeries = Map<string, Series>;

/** A thousand rollouts have some 30,000; what nobody tells of any more goes with all others, and these come again. */
const MAX_KNOWN = 200_000;

/** Reads the points of a message; series of other metrics, and outcomes that blame no variant, are left out. */
export function pointsOf(evidence: Evidence, known: KnownSeries = new Map()): Report {
  const points: Point[] = [];
  let sequence = 0;
  let unreadable = 0;
  if (known.size > MAX_KNOWN) known.clear();
  for (const { resource, scopeMetrics } of evidence.resourceMetrics) {
    sequence = Math.max(sequence, Number(textOf(resource.attributes, RESOURCE.sequence) ?? 0));
    for (const metric of scopeMetrics.flatMap(({ metrics }) => metrics)) {
      for (const raw of rawPoints(metric)) {
        const point = pointOf(metric.name, raw, known);
        if (point === "unreadable") unreadable += 1;
        else if (point !== undefined) points.push(point);
      }
    }
  }
  return { sequence, points, unreadable };
}

function rawPoints(metric: EvidenceMetric): Raw[] {
  switch (metric.name) {
    case METRICS.decisions:
    case METRICS.outcomes:
    case METRICS.settled:
    case METRICS.clusterMissing:
    case HALF_METRICS.outcomes:
      return (metric.sum?.dataPoints ?? []).map((point) => ({ ...point, values: [Number(point.asInt ?? point.asDouble ?? Number.NaN)] }));
    case METRICS.outcomeDuration:
    case HALF_METRICS.duration:
      return (metric.histogram?.dataPoints ?? []).map((point) => ({
        ...point,
        values: hasOurBounds(point.explicitBounds) ? point.bucketCounts.map(Number) : [],
      }));
    default:
      return [];
  }
}

const isDuration = (metric: string): boolean => metric === METRICS.outcomeDuration || metric === HALF_METRICS.duration;

/** The reason of decisions that the share alone made. */
const BY_SHARE = "share";

/** Sidecars export seconds, as OpenTelemetry asks; the contract's bounds are milliseconds. */
const hasOurBounds = (seconds: readonly number[]): boolean =>
  seconds.length === LATENCY_BOUNDS_MS.length &&
  LATENCY_BOUNDS_MS.every((ms, index) => Math.abs((seconds[index] ?? 0) * 1_000 - ms) < 0.001);

function pointOf(metric: string, { attributes, startTimeUnixNano, values }: Raw, known: KnownSeries): Point | "unreadable" | undefined {
  let text = metric;
  for (const { key, value } of attributes) text += `|${key}=${shown(value)}`;
  if (!known.has(text)) known.set(text, seriesOf(metric, attributes));
  const series = known.get(text);
  if (series === undefined || series === "unreadable") return series;
  const expected = isDuration(metric) ? LATENCY_BOUNDS_MS.length + 1 : 1;
  const isWhole = values.length === expected && values.every((value) => Number.isFinite(value) && value >= 0);
  if (!isWhole) return "unreadable";
  const { rollout, series: name, measure, half, variant, control, run } = series;
  return { rollout, series: name, measure, half, variant, control, run, start: nanosOf(startTimeUnixNano), values };
}

/** Undefined when the series says nothing about a variant of a rollout. */
function seriesOf(metric: string, attributes: readonly Attribute[]): Series {
  const labels = new Map(attributes.map(({ key, value }) => [key, shown(value)]));
  const rollout = labels.get(LABELS.rollout);
  if (rollout === undefined || rollout === "") return undefined;
  const variant = labels.get(LABELS.variant) ?? "";
  const run = Number(labels.get(LABELS.run) ?? Number.NaN);
  if (!PATTERNS.variant.test(variant) || !Number.isInteger(run)) return "unreadable";
  const measure = measureOf(metric, labels);
  if (measure === undefined || measure === "unreadable") return measure;
  const isHalf = metric === HALF_METRICS.outcomes || metric === HALF_METRICS.duration;
  const half = isHalf ? HALF_NAMES.find((name) => name === labels.get(LABELS.half)) : undefined;
  if (isHalf && half === undefined) return "unreadable";
  const series = [metric, ...Array.from(labels, ([key, value]) => `${key}=${value}`).toSorted()].join("|");
  return { rollout, series, measure, half, variant, control: labels.get(LABELS.control) === "true", run };
}

/** A request that its client left, or that Envoy answered before any upstream, speaks neither for nor against a variant. */
function measureOf(metric: string, labels: ReadonlyMap<string, string>): Measure | "unreadable" | undefined {
  if (metric === METRICS.decisions) return labels.get(LABELS.reason) === BY_SHARE ? "shared" : "decided";
  if (metric === METRICS.settled) return "settled";
  if (metric === METRICS.clusterMissing) return "elsewhere";
  if (isDuration(metric)) return "latency";
  const known = labels.get(LABELS.class);
  if (known === "ok" || known === "failed" || known === "refused") return known;
  return OutcomeClassSchema.options.some((name) => name === known) ? undefined : "unreadable";
}

const textOf = (attributes: readonly Attribute[], key: string): string | undefined =>
  attributes.flatMap((attribute) => (attribute.key === key ? [shown(attribute.value)] : []))[0];

const shown = ({ stringValue, intValue, boolValue, doubleValue }: Attribute["value"]): string =>
  stringValue ?? String(intValue ?? boolValue ?? doubleValue ?? "");

/** OTLP/JSON writes 64-bit numbers as strings; some exporters write the two halves. */
function nanosOf(nanos: Nanos): bigint {
  if (typeof nanos === "object") return (BigInt(nanos.high >>> 0) << 32n) | BigInt(nanos.low >>> 0);
  return BigInt(typeof nanos === "number" ? Math.trunc(nanos) : nanos);
}

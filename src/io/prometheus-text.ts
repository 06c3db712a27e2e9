import type { Attributes } from "@opentelemetry/api";
import type { MetricData } from "@opentelemetry/sdk-metrics";
import { POINT } from "./metric-kinds.ts";

/**
 * The text format of Prometheus 0.0.4, part by part: parts of one metric that follow each other stand under one head. It is what
 * OpenTelemetry's exporter writes, which makes all of the text at once and is too slow for that by a factor of forty.
 */
export function createPrometheusText(): (part: MetricData) => string {
  let metric: string | undefined;
  return (part) => {
    const name = nameOf(part);
    const head = name === metric ? "" : headOf(name, part);
    metric = name;
    return head + samplesOf(name, part);
  };
}

/** What the program says of itself, as `target_info`. */
export const targetInfo = (resource: Attributes): string =>
  `# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info${inBraces(labelsOf(resource))} 1\n`;

function nameOf(part: MetricData): string {
  const name = nameFor(part.descriptor.name);
  return part.dataPointType === POINT.SUM && part.isMonotonic && !name.endsWith("_total") ? `${name}_total` : name;
}

function headOf(name: string, part: MetricData): string {
  const { description, unit } = part.descriptor;
  const help = `# HELP ${name} ${escaped(description || "description missing")}\n`;
  return `${help}${unit === "" ? "" : `# UNIT ${name} ${escaped(unit)}\n`}# TYPE ${name} ${typeOf(part)}\n`;
}

function typeOf(part: MetricData): string {
  switch (part.dataPointType) {
    case POINT.SUM:
      return part.isMonotonic ? "counter" : "gauge";
    case POINT.GAUGE:
      return "gauge";
    case POINT.HISTOGRAM:
      return "histogram";
    case POINT.EXPONENTIAL_HISTOGRAM:
      // Of nothing of ours; it has no form in this text.
      return "untyped";
  }
}

function samplesOf(name: string, part: MetricData): string {
  switch (part.dataPointType) {
    case POINT.SUM:
    case POINT.GAUGE: {
      let text = "";
      for (const { attributes, value } of part.dataPoints) text += `${name}${inBraces(labelsOf(attributes))} ${valueText(value)}\n`;
      return text;
    }
    case POINT.HISTOGRAM: {
      let text = "";
      for (const point of part.dataPoints) text += histogramText(name, point);
      return text;
    }
    case POINT.EXPONENTIAL_HISTOGRAM:
      return "";
  }
}

type HistogramPoint = Extract<MetricData, { dataPointType: typeof POINT.HISTOGRAM }>["dataPoints"][number];

function histogramText(name: string, { attributes, value: { count, sum, buckets } }: HistogramPoint): string {
  const labels = labelsOf(attributes);
  const own = inBraces(labels);
  let text = `${name}_count${own} ${valueText(count)}\n`;
  if (sum !== undefined) text += `${name}_sum${own} ${valueText(sum)}\n`;
  const begin = `${name}_bucket{${labels}${labels === "" ? "" : ","}le="`;
  let upTo = 0;
  for (const [index, each] of buckets.counts.entries()) {
    upTo += each;
    const bound = buckets.boundaries[index] ?? Number.POSITIVE_INFINITY;
    text += `${begin}${valueText(bound)}"} ${valueText(upTo)}\n`;
  }
  return text;
}

function labelsOf(attributes: Attributes): string {
  let text = "";
  for (const [name, value] of Object.entries(attributes)) {
    const plain = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
    text += `${text === "" ? "" : ","}${nameFor(name)}="${escaped(plain).replaceAll('"', '\\"')}"`;
  }
  return text;
}

const inBraces = (labels: string): string => (labels === "" ? "" : `{${labels}}`);

const valueText = (value: number): string => {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
};

/** Asking first costs less than replacing nothing. */
const NOT_PLAIN = /[\\\n]/;
const escaped = (text: string): string => (NOT_PLAIN.test(text) ? text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n") : text);

const NOT_A_NAME = /\W|__/;
const nameFor = (name: string): string => (NOT_A_NAME.test(name) ? name.replaceAll(/\W/g, "_").replaceAll(/_{2,}/g, "_") : name);

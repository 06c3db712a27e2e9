import { ValueType } from "@opentelemetry/api";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AggregationTemporality, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import { describe, expect, test } from "vitest";
import { createPrometheusText, targetInfo } from "../../../src/io/prometheus-text.ts";

const attributes = { "service.name": "serin-sidecar", "service.instance.id": 'a "quoted\\name"\nof two lines' };
const at = { startTime: [1, 0], endTime: [2, 0] } satisfies Pick<MetricData["dataPoints"][number], "startTime" | "endTime">;

type Values = readonly (readonly [Record<string, string | number | boolean | undefined>, number])[];

const descriptor = (name: string, more = {}) => ({ name, description: "", unit: "", valueType: ValueType.DOUBLE, ...more });
const points = (values: Values) => values.map(([labels, value]) => ({ ...at, attributes: labels, value }));
const sum = (name: string, values: Values, { isMonotonic = true, ...more } = {}): MetricData => ({
  descriptor: descriptor(name, more),
  aggregationTemporality: AggregationTemporality.CUMULATIVE,
  dataPointType: DataPointType.SUM,
  isMonotonic,
  dataPoints: points(values),
});
const gauge = (name: string, values: Values, more = {}): MetricData => ({
  descriptor: descriptor(name, more),
  aggregationTemporality: AggregationTemporality.CUMULATIVE,
  dataPointType: DataPointType.GAUGE,
  dataPoints: points(values),
});
const histogram = (labels: Record<string, string>, boundaries: number[], total: number | undefined): MetricData => ({
  descriptor: descriptor("serin_outcome_duration_seconds", { unit: "s", description: "Time of ended requests at the upstream." }),
  aggregationTemporality: AggregationTemporality.CUMULATIVE,
  dataPointType: DataPointType.HISTOGRAM,
  dataPoints: [
    {
      ...at,
      attributes: labels,
      value: {
        buckets: { boundaries, counts: [...boundaries, 0].map((_, index) => index) },
        count: 6,
        ...(total === undefined ? {} : { sum: total }),
      },
    },
  ],
});

const theirs = (metrics: MetricData[]): string => {
  const resource = resourceFromAttributes(attributes);
  return new PrometheusSerializer(undefined, false, undefined, false, true).serialize({
    resource,
    scopeMetrics: [{ scope: { name: "serin" }, metrics }],
  });
};
const ours = (metrics: MetricData[]): string => targetInfo(attributes) + metrics.map(createPrometheusText()).join("");

describe("the text for Prometheus is that of OpenTelemetry's exporter", () => {
  test.each([
    { title: "for a counter", metrics: [sum("serin_decisions_total", [[{ rollout: "a", reason: "no key" }, 3]])] },
    { title: "for a counter whose name does not say so", metrics: [sum("serin.decisions", [[{}, 3]])] },
    { title: "for a sum that may fall", metrics: [sum("serin_streams", [[{}, -3]], { isMonotonic: false })] },
    { title: "for a gauge without a series", metrics: [gauge("serin_rules_revision", [], { description: "Revision \\ of\nthe rules." })] },
    {
      title: "for numbers of all kinds",
      metrics: [
        gauge(
          "serin_g",
          [1e21, 0.1, -0, Number.NaN, Infinity, -Infinity].map((value, index) => [{ n: String(index) }, value]),
        ),
      ],
    },
    {
      title: "for label values that must be escaped, and none that are text",
      metrics: [gauge("serin_g", [[{ a: 'x"y', b: "x\\y\nz", "c.d--e": 7, f: true, g: undefined, h: "" }, 1]])],
    },
    { title: "for a histogram", metrics: [histogram({ rollout: "a" }, [0.001, 0.5, 30], 1.25)] },
    {
      title: "for a histogram without labels and without a sum",
      metrics: [histogram({}, [1, Number.POSITIVE_INFINITY].slice(0, 1), undefined)],
    },
    { title: "for several metrics", metrics: [sum("serin_a_total", [[{}, 1]]), gauge("serin_b", [[{}, 2]]), histogram({}, [1], 2)] },
  ])("$title", ({ metrics }) => {
    expect(ours(metrics)).toBe(theirs(metrics));
  });

  test("also when a metric comes in parts", () => {
    const [one, other] = [sum("serin_a_total", [[{ n: "1" }, 1]]), sum("serin_a_total", [[{ n: "2" }, 2]])];
    const whole = sum("serin_a_total", [
      [{ n: "1" }, 1],
      [{ n: "2" }, 2],
    ]);
    const next = gauge("serin_b", [[{}, 1]]);
    expect(ours([one, other, sum("serin_a_total", []), next])).toBe(theirs([whole, next]));
  });
});

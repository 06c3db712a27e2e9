import { AggregationTemporality, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLog } from "../../src/io/log.ts";
import { startTelemetry } from "../../src/io/telemetry.ts";
import { type OtlpCollector, startOtlpCollector } from "../support/otlp-collector.ts";

const counter: MetricData = {
  descriptor: { name: "serin_test_total", description: "", unit: "", valueType: 0 },
  aggregationTemporality: AggregationTemporality.CUMULATIVE,
  dataPointType: DataPointType.SUM,
  isMonotonic: true,
  dataPoints: [{ startTime: [1, 0], endTime: [2, 0], attributes: {}, value: 7 }],
};

const log = createLog({ name: "test", level: "silent" });
let collector: OtlpCollector;
let received: OtlpCollector["received"];

beforeEach(async () => {
  collector = await startOtlpCollector();
  received = collector.received;
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await collector.stop();
});

test("with OTLP wanted, metrics reach the collector that the standard variables name, the last ones at the stop", async () => {
  const telemetry = await startTelemetry({ service: "serin-test", instance: "one", collect: () => [counter], otlp: true, log });
  await telemetry.stop();
  expect(received.map(({ path }) => path)).toContain("/v1/metrics");
  expect(received[0]?.body).toContain("serin_test_total");
  expect(received[0]?.body).toContain("serin-test");
});

test("a span that is over reaches it with the ids that it brings, below the parent that it names", async () => {
  const telemetry = await startTelemetry({ service: "serin-test", instance: "one", collect: () => [], otlp: true, log });
  const ids = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };
  const parent = { traceId: ids.traceId, spanId: "1111111111111111" };
  const times = { startMs: 86_400_000, endMs: 86_401_000 };
  telemetry.span?.({ name: "rollout cart", ...times, attributes: { "deployment.name": "cart" }, ids, error: "errors" });
  telemetry.span?.({ name: "stage 1", ...times, attributes: {}, parent, events: [{ name: "feature_flag.evaluation", attributes: {} }] });
  await telemetry.stop();
  const body = received
    .filter(({ path }) => path === "/v1/traces")
    .map((each) => each.body)
    .join("");
  const bytes = (hex: string) => Buffer.from(hex, "hex").toString("latin1");
  for (const part of [
    "rollout cart",
    "stage 1",
    "deployment.name",
    "feature_flag.evaluation",
    "errors",
    bytes(ids.traceId),
    bytes(ids.spanId),
  ])
    expect(body).toContain(part);
  expect(body).toContain(bytes(parent.spanId));
  for (const resource of ["service.name", "service.namespace", "service.version", "service.instance.id"]) expect(body).toContain(resource);
});

test("the standard variables say how often metrics go out, and that none do", async () => {
  vi.stubEnv("OTEL_METRIC_EXPORT_INTERVAL", "20");
  const often = await startTelemetry({ service: "serin-test", instance: "one", collect: () => [counter], otlp: true, log });
  await vi.waitFor(() => expect(received.filter(({ path }) => path === "/v1/metrics").length).toBeGreaterThan(1), 10_000);
  await often.stop();
  received.length = 0;
  vi.stubEnv("OTEL_METRICS_EXPORTER", "none");
  const never = await startTelemetry({ service: "serin-test", instance: "one", collect: () => [counter], otlp: true, log });
  await never.stop();
  expect(received.map(({ path }) => path)).not.toContain("/v1/metrics");
});

test.each([
  { name: "OTEL_TRACES_EXPORTER", value: "none" },
  { name: "OTEL_SDK_DISABLED", value: "true" },
])("where $name is $value nobody takes spans, and so nobody need make them", async ({ name, value }) => {
  vi.stubEnv(name, value);
  const telemetry = await startTelemetry({ service: "serin-test", instance: "one", collect: () => [], otlp: true, log });
  await telemetry.stop();
  expect(telemetry.span).toBeUndefined();
});

test("where spans alone are wanted they go out, and no metrics do", async () => {
  const telemetry = await startTelemetry({ service: "serin-test", instance: "one", collect: () => [counter], otlp: "spans", log });
  telemetry.span?.({ name: "serin decide", startMs: 1, endMs: 1, attributes: {} });
  await telemetry.stop();
  expect(received.map(({ path }) => path)).toEqual(["/v1/traces"]);
});

test("a collector that never answers does not hold up the end until the exporter itself gives up", async () => {
  collector.fallSilent();
  // Longer than a test may last.
  vi.stubEnv("OTEL_EXPORTER_OTLP_TIMEOUT", "600000");
  vi.stubEnv("OTEL_BSP_EXPORT_TIMEOUT", "600000");
  const telemetry = await startTelemetry({ service: "serin-test", instance: "one", collect: () => [], otlp: true, log });
  telemetry.span?.({ name: "serin decide", startMs: 1, endMs: 1, attributes: {} });
  await telemetry.stop();
  expect(received.map(({ path }) => path)).toContain("/v1/traces");
});

test("without, nothing is pushed", async () => {
  const telemetry = await startTelemetry({ service: "serin-test", instance: "one", collect: () => [counter], otlp: false, log });
  await telemetry.stop();
  expect(received).toEqual([]);
});

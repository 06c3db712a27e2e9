import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AggregationTemporality, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLog } from "../../src/io/log.ts";
import { startTelemetry } from "../../src/io/telemetry.ts";

const counter: MetricData = {
  descriptor: { name: "serin_test_total", description: "", unit: "", valueType: 0 },
  aggregationTemporality: AggregationTemporality.CUMULATIVE,
  dataPointType: DataPointType.SUM,
  isMonotonic: true,
  dataPoints: [{ startTime: [1, 0], endTime: [2, 0], attributes: {}, value: 7 }],
};

const log = createLog({ name: "test", level: "silent" });
const received: { path: string; body: string }[] = [];
const collector = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    received.push({ path: request.url ?? "", body: Buffer.concat(chunks).toString("latin1") });
    response.end();
  });
});

beforeEach(async () => {
  received.length = 0;
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an AddressInfo.
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${(collector.address() as AddressInfo).port}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

test("with OTLP wanted, metrics reach the collector that the standard variables name, the last ones at the stop", async () => {
  const telemetry = await startTelemetry({ service: "serin-test", instance: "one", collect: () => [counter], otlp: true, log });
  await telemetry.stop();
  expect(received.map(({ path }) => path)).toContain("/v1/metrics");
  expect(received[0]?.body).toContain("serin_test_total");
  expect(received[0]?.body).toContain("serin-test");
});

test("without, nothing is pushed", async () => {
  const telemetry = await startTelemetry({ service: "serin-test", instance: "one", collect: () => [counter], otlp: false, log });
  await telemetry.stop();
  expect(received).toEqual([]);
});

import { ValueType } from "@opentelemetry/api";
import { ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AggregationTemporality, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import { expect, test } from "vitest";
import { NO_RULES } from "../../../src/core/decide/compile.ts";
import { createCells } from "../../../src/sidecar/cells.ts";
import { createEnvoyStats } from "../../../src/sidecar/envoy-stats.ts";

const counter = (name: string, value: number): MetricData => ({
  descriptor: { name, description: "", unit: "", valueType: ValueType.INT },
  aggregationTemporality: AggregationTemporality.DELTA,
  dataPointType: DataPointType.SUM,
  isMonotonic: true,
  dataPoints: [{ startTime: [0, 0], endTime: [1, 0], attributes: {}, value }],
});

/** Exports as a collector's client would, and tells whether the call was answered and ended. */
function send(stats: ReturnType<typeof createEnvoyStats>, ...metrics: MetricData[]): string[] {
  const did: string[] = [];
  const ignored = (): undefined => undefined;
  const call = { send: () => did.push("answer"), end: () => did.push("end"), endGently: ignored, sendPrepared: ignored, flush: ignored };
  const handler = stats.method(call);
  const resource = resourceFromAttributes({});
  const bytes = Buffer.from(
    ProtobufMetricsSerializer.serializeRequest({ resource, scopeMetrics: [{ scope: { name: "envoy" }, metrics }] }) ?? [],
  );
  handler.message(bytes, 0, bytes.length);
  handler.halfClosed();
  return did;
}

test("what Envoys count is summed over them and told as counters: absent until one tells anything, then 0 where it has counted nothing", () => {
  const stats = createEnvoyStats({
    rules: () => NO_RULES,
    cells: createCells({ nowMs: () => 0, runInForce: () => 0 }),
    nowMs: () => 0,
    surprise: () => {},
  });
  expect(stats.readings()).toEqual([]);
  expect(send(stats, counter("logs_dropped", 0), counter("failed_open", 2), counter("cluster.x.upstream_rq", 9))).toEqual([
    "answer",
    "end",
  ]);
  send(stats, counter("logs_dropped", 3), counter("failed_open", 1));
  expect(stats.readings().map(({ name, values }) => [name, values[0]?.value])).toEqual([
    ["serin_envoy_logs_dropped_total", 3],
    ["serin_envoy_logs_written_total", 0],
    ["serin_envoy_failed_open_total", 3],
  ]);
});

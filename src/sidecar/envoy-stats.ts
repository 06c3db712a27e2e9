import { METRICS } from "../contract/names.ts";
import type { Method } from "./h2/stream.ts";
import type { Reading } from "./metric-data.ts";
import { countShadows, type ShadowPorts } from "./shadow-stats.ts";
import { EnvoyStatReader } from "./wire/envoy-counters.ts";

/** What the shipped configuration calls Envoy's own counters, and what they are here. */
const COUNTERS: Readonly<Record<string, { readonly metric: string; readonly description: string }>> = {
  logs_dropped: {
    metric: METRICS.envoyLogsDropped,
    description: "Access log entries that Envoy dropped: requests whose end nobody hears of.",
  },
  logs_written: { metric: METRICS.envoyLogsWritten, description: "Access log entries that Envoy sent." },
  failed_open: { metric: METRICS.envoyFailedOpen, description: "Requests that went on without a decision, by Envoy's own count." },
};

/** What Envoys say about themselves, summed over all of them. */
export interface EnvoyStats {
  /** OTLP's export of metrics (opentelemetry.proto.collector.metrics.v1.MetricsService/Export), with counters as deltas. */
  readonly method: Method;
  /** Empty until an Envoy has told something: what nobody counts is not 0. */
  readings(): Reading[];
}

/** An `ExportMetricsServiceResponse` that accepts everything. */
const ACCEPTED = Buffer.alloc(0);

export function createEnvoyStats(shadows: ShadowPorts): EnvoyStats {
  const reader = new EnvoyStatReader();
  const totals = new Map<string, number>();
  let isTold = false;
  return {
    method: (call) => ({
      message(bytes, from, to) {
        const told = reader.read(bytes, from, to);
        countShadows(told, shadows);
        for (const [name, growth] of told.counters) {
          if (Object.hasOwn(COUNTERS, name)) totals.set(name, (totals.get(name) ?? 0) + growth);
        }
        isTold = true;
        call.send(ACCEPTED);
      },
      halfClosed: () => call.end(),
      closed: () => undefined,
    }),
    // Envoy leaves out what it has never counted: that is 0, once it tells anything.
    readings: () =>
      Object.entries(isTold ? COUNTERS : {}).map(([name, { metric, description }]) => ({
        name: metric,
        description,
        kind: "counter",
        values: [{ attributes: {}, value: totals.get(name) ?? 0 }],
      })),
  };
}

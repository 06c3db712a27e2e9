import { METRICS } from "../contract/names.ts";
import { type Reading, reading } from "../io/metric-points.ts";
import type { Method } from "./h2/stream.ts";
import { createShadowCounter, type ShadowPorts } from "./shadow-stats.ts";
import { EnvoyStatReader } from "./wire/envoy-counters.ts";

/** What the shipped configuration calls Envoy's own counters, and what they are here. */
const COUNTERS: Readonly<Record<string, string>> = {
  logs_dropped: METRICS.envoyLogsDropped,
  logs_written: METRICS.envoyLogsWritten,
  failed_open: METRICS.envoyFailedOpen,
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
  const countShadows = createShadowCounter(shadows);
  const totals = new Map<string, number>();
  let isTold = false;
  return {
    method: (call) => ({
      message(bytes, from, to) {
        const told = reader.read(bytes, from, to);
        countShadows(told);
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
    readings: () => Object.entries(isTold ? COUNTERS : {}).map(([name, metric]) => reading(metric, totals.get(name) ?? 0)),
  };
}

import type { IncomingMessage, ServerResponse } from "node:http";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, type MetricData, type MetricProducer } from "@opentelemetry/sdk-metrics";

/** What a program shows of itself by OpenTelemetry. */
export interface TelemetryOptions {
  /** `service.name`. */
  readonly service: string;
  /** `service.instance.id`. */
  readonly instance: string;
  /** Called at each collection; must not reject. */
  readonly collect: () => MetricData[] | Promise<MetricData[]>;
  /** Push metrics and traces too, by the standard OTEL_* variables. */
  readonly otlp: boolean;
}

/** Metrics by pull, and by push where wanted. */
export interface Telemetry {
  /** Answers a scrape in Prometheus' text format. */
  serve(request: IncomingMessage, response: ServerResponse): void;
  stop(): Promise<void>;
}

/** Starts telemetry; the whole Node SDK is loaded only where something is pushed, because it costs 400 ms and 25 MB. */
export async function startTelemetry({ service, instance, collect, otlp }: TelemetryOptions): Promise<Telemetry> {
  const resource = resourceFromAttributes({ "service.name": service, "service.instance.id": instance });
  const producer: MetricProducer = {
    collect: async () => ({
      resourceMetrics: { resource, scopeMetrics: [{ scope: { name: "serin" }, metrics: await collect() }] },
      errors: [],
    }),
  };
  const exporter = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true, metricProducers: [producer] });
  const provider = new MeterProvider({ resource, readers: [exporter] });
  const stopPush = otlp ? await startPush(service, instance, producer) : undefined;
  return {
    serve: (request, response) => exporter.getMetricsRequestHandler(request, response),
    async stop() {
      await stopPush?.();
      await provider.shutdown();
    },
  };
}

async function startPush(service: string, instance: string, producer: MetricProducer): Promise<() => Promise<void>> {
  const { NodeSDK, metrics } = await import("@opentelemetry/sdk-node");
  const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-proto");
  const reader = new metrics.PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), metricProducers: [producer] });
  const sdk = new NodeSDK({
    resource: resourceFromAttributes({ "service.name": service, "service.instance.id": instance }),
    metricReaders: [reader],
  });
  sdk.start();
  return () => sdk.shutdown();
}

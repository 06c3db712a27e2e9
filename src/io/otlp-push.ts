import { setTimeout as delay } from "node:timers/promises";
import { type Attributes, trace } from "@opentelemetry/api";
import { getBooleanFromEnv, getNumberFromEnv, getStringListFromEnv } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { type MetricData, type MetricProducer, MetricReader, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { Logger } from "./log.ts";
import { endedSpan, SpanIdSource } from "./otlp-spans.ts";
import type { Slices } from "./slices.ts";
import type { TellSpan } from "./spans.ts";

/** Called at each collection: metrics, one after the other, a large one in several parts that are made as they are asked for. */
export type Collect = () => Iterable<MetricData> | AsyncIterable<MetricData>;

interface PushParts {
  /** Undefined where spans alone go out. */
  readonly collect: Collect | undefined;
  /** Of the resource, beside what the SDK finds out. */
  readonly attributes: Attributes;
  readonly slices: Slices;
  readonly log: Logger;
}

/** Serialising so many takes some milliseconds. */
const POINTS_A_MESSAGE = 100;

const LONGEST_STOP_MS = 3_000;

/** As the SDK's own reader. */
const intervalMs = (): number => getNumberFromEnv("OTEL_METRIC_EXPORT_INTERVAL") ?? 60_000;

/** As OpenTelemetry's own SDK, which pushes unless it is told what else to do. */
function isPushWanted(): boolean {
  const exporters = getStringListFromEnv("OTEL_METRICS_EXPORTER") ?? [];
  return exporters.length === 0 || exporters.includes("otlp");
}

/** Whether the SDK, by its own rules, hands spans to anybody: making them costs each request. */
const areSpansWanted = (): boolean =>
  getStringListFromEnv("OTEL_TRACES_EXPORTER")?.[0] !== "none" && !getBooleanFromEnv("OTEL_SDK_DISABLED");

/**
 * Starts the Node SDK, and pushes metrics in small messages: the SDK's own reader collects and serialises all at once. Spans are handed over
 * when they are over, to the exporter that the standard variables name.
 */
export function startOtlpPush({ attributes, collect, slices, log }: PushParts): {
  readonly span: TellSpan | undefined;
  stop(): Promise<void>;
} {
  const source = new SpanIdSource();
  const sdk = new NodeSDK({
    resource: defaultResource().merge(resourceFromAttributes(attributes)),
    metricReaders: collect !== undefined && isPushWanted() ? [new PartsReader({ collect, slices, log })] : [],
    idGenerator: source,
  });
  sdk.start();
  return {
    span: areSpansWanted() ? (record) => endedSpan(source, record) : undefined,
    async stop() {
      // A collector that is away must not hold up an end that others wait for; what it is still owed is lost.
      await Promise.race([sdk.shutdown(), delay(LONGEST_STOP_MS, undefined, { ref: false })]);
      // The SDK leaves its provider to whoever asks later.
      trace.disable();
    },
  };
}

type ReaderParts = Readonly<{ collect: Collect }> & Pick<PushParts, "slices" | "log">;

/** Collects again and again until all parts were told, so that each message has the resource that the SDK found out. */
class PartsReader extends MetricReader {
  readonly #exporter = new OTLPMetricExporter();
  readonly #parts: ReaderParts;
  readonly #timer: NodeJS.Timeout;
  #next: MetricData[] = [];
  #pushing: Promise<void> | undefined;

  constructor(parts: ReaderParts) {
    const producer: MetricProducer = {
      collect: () => {
        const scopeMetrics = [{ scope: { name: "serin" }, metrics: this.#next }];
        return Promise.resolve({ resourceMetrics: { resource: resourceFromAttributes({}), scopeMetrics }, errors: [] });
      },
    };
    super({ metricProducers: [producer] });
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#push(), intervalMs());
    this.#timer.unref();
  }

  protected override async onForceFlush(): Promise<void> {
    // One that is under way may have passed what changed since.
    await this.#pushing;
    await this.#push();
    await this.#exporter.forceFlush();
  }

  protected override async onShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.onForceFlush();
    await this.#exporter.shutdown();
  }

  /** One that is under way is not overtaken. */
  #push(): Promise<void> {
    return (this.#pushing ??= this.#pushAll()
      .catch((error: unknown) => this.#parts.log.warn({ error }, "metrics could not be pushed; the next push holds them"))
      .finally(() => {
        this.#pushing = undefined;
      }));
  }

  async #pushAll(): Promise<void> {
    const { collect, slices } = this.#parts;
    for await (const message of messagesOf(collect())) {
      this.#next = message;
      const { resourceMetrics } = await this.collect();
      await resourceMetrics.resource.waitForAsyncAttributes?.();
      await slices();
      await this.#export(resourceMetrics);
    }
  }

  #export(metrics: ResourceMetrics): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#exporter.export(metrics, ({ error, code }) => (code === 0 ? resolve() : reject(error ?? new Error("refused"))));
    });
  }
}

async function* messagesOf(parts: ReturnType<Collect>): AsyncGenerator<MetricData[]> {
  let message: MetricData[] = [];
  let points = 0;
  for await (const part of parts) {
    message.push(part);
    points += part.dataPoints.length;
    if (points < POINTS_A_MESSAGE) continue;
    yield message;
    message = [];
    points = 0;
  }
  if (message.length > 0) yield message;
}

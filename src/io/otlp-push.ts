import type { Attributes } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { type MetricData, type MetricProducer, MetricReader, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { Logger } from "./log.ts";
import type { Slices } from "./slices.ts";

/** Called at each collection: metrics, one after the other, a large one in several parts that are made as they are asked for. */
export type Collect = () => Iterable<MetricData> | AsyncIterable<MetricData>;

interface PushParts {
  readonly collect: Collect;
  /** Of the resource, beside what the SDK finds out. */
  readonly attributes: Attributes;
  readonly slices: Slices;
  readonly log: Logger;
}

/** Serialising so many takes some milliseconds. */
const POINTS_A_MESSAGE = 100;

/** As the SDK's own reader, by default. */
const INTERVAL_MS = 60_000;

/** Starts the Node SDK, and pushes metrics in small messages: the SDK's own reader collects and serialises all at once. */
export function startOtlpPush(parts: PushParts): { stop(): Promise<void> } {
  const sdk = new NodeSDK({ resource: resourceFromAttributes(parts.attributes), metricReaders: [new PartsReader(parts)] });
  sdk.start();
  return { stop: () => sdk.shutdown() };
}

/** Collects again and again until all parts were told, so that each message has the resource that the SDK found out. */
class PartsReader extends MetricReader {
  readonly #exporter = new OTLPMetricExporter();
  readonly #parts: PushParts;
  readonly #timer: NodeJS.Timeout;
  #next: MetricData[] = [];
  #pushing: Promise<void> | undefined;

  constructor(parts: PushParts) {
    const producer: MetricProducer = {
      collect: () => {
        const scopeMetrics = [{ scope: { name: "serin" }, metrics: this.#next }];
        return Promise.resolve({ resourceMetrics: { resource: resourceFromAttributes({}), scopeMetrics }, errors: [] });
      },
    };
    super({ metricProducers: [producer] });
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#push(), INTERVAL_MS);
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

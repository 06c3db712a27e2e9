import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { VERSION } from "../contract/version.ts";
import type { Logger } from "./log.ts";
import type { Collect } from "./otlp-push.ts";
import { createPrometheusText, targetInfo } from "./prometheus-text.ts";
import { createEasySlices, type Slices } from "./slices.ts";
import type { TellSpan } from "./spans.ts";

/** What a program shows of itself by OpenTelemetry. */
export interface TelemetryOptions {
  /** `service.name`. */
  readonly service: string;
  /** `service.instance.id`. */
  readonly instance: string;
  readonly collect: Collect;
  /** Push metrics and traces too, by the standard OTEL_* variables; or spans alone. */
  readonly otlp: boolean | "spans";
  readonly log: Logger;
  /** Given where other long work shares the loop. */
  readonly slices?: Slices;
}

/** Metrics by pull, and by push where wanted. */
export interface Telemetry {
  /** Answers a scrape in Prometheus' text format. */
  serve(request: IncomingMessage, response: ServerResponse): void;
  /** Pushes a span that is over; undefined where none are wanted. */
  readonly span: TellSpan | undefined;
  stop(): Promise<void>;
}

/** Starts telemetry; the whole Node SDK is loaded only where something is pushed, because it costs 400 ms and 25 MB. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { service, instance, collect, otlp, log, slices = createEasySlices() } = options;
  const attributes = {
    "service.name": service,
    "service.namespace": "serin",
    "service.version": VERSION,
    "service.instance.id": instance,
  };
  const push =
    otlp === false
      ? undefined
      : (await import("./otlp-push.ts")).startOtlpPush({ attributes, collect: otlp === "spans" ? undefined : collect, slices, log });
  return {
    serve(_request, response) {
      response.setHeader("content-type", "text/plain");
      pipeline(pageOf(targetInfo(attributes), collect(), slices), response).catch((error: unknown) => {
        if (!hasLeft(error)) log.error({ error }, "metrics could not be told");
      });
    },
    span: push?.span,
    stop: async () => push?.stop(),
  };
}

/** The text in pieces of some kilobytes; none takes longer than a slice to make. */
async function* pageOf(head: string, metrics: ReturnType<Collect>, slices: Slices): AsyncGenerator<string> {
  const textOf = createPrometheusText();
  yield head;
  // Before the first as well: many who ask at the same time are no reason for a long turn.
  await slices();
  for await (const metric of metrics) {
    const text = textOf(metric);
    if (text !== "") yield text;
    await slices();
  }
}

/** Who asked went away before the end. */
const hasLeft = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ERR_STREAM_PREMATURE_CLOSE" || error.code === "EPIPE");

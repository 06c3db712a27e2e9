import { randomBytes } from "node:crypto";
import { ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import { hrTime } from "./metric-points.ts";
import type { SpanIds, SpanRecord } from "./spans.ts";

/** Gives the ids that a span brings, and random ones to others; OpenTelemetry's SDK asks it while a span starts. */
export class SpanIdSource {
  #next: SpanIds | undefined;

  /** Ids for what is started meanwhile. */
  with(ids: SpanIds | undefined, start: () => void): void {
    this.#next = ids;
    start();
    this.#next = undefined;
  }

  generateTraceId(): string {
    return this.#next?.traceId ?? randomBytes(16).toString("hex");
  }

  generateSpanId(): string {
    return this.#next?.spanId ?? randomBytes(8).toString("hex");
  }
}

/** Hands a span that is over to the SDK, which samples and sends it; nothing where the SDK has no exporter. */
export function endedSpan(source: SpanIdSource, { name, startMs, endMs, attributes, ids, parent, events = [], error }: SpanRecord): void {
  const context =
    parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, traceFlags: TraceFlags.SAMPLED, isRemote: true });
  source.with(ids, () => {
    const span = trace.getTracer("serin").startSpan(name, { startTime: hrTime(startMs), attributes }, context);
    for (const event of events) span.addEvent(event.name, event.attributes, hrTime(startMs));
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(hrTime(Math.max(startMs, endMs)));
  });
}

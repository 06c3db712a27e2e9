import type { Attributes } from "@opentelemetry/api";

/** Names a span, in hex digits: 32 and 16. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** A span that is over; times in Unix milliseconds. */
export interface SpanRecord {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** Random ones when absent. */
  readonly ids?: SpanIds;
  /** It begins a trace of its own when absent. */
  readonly parent?: SpanIds;
  readonly events?: readonly Readonly<{ name: string; attributes: Attributes }>[];
  /** Why it counts as failed. */
  readonly error?: string;
}

/** Takes spans that are over to where they are collected. */
export type TellSpan = (span: SpanRecord) => void;

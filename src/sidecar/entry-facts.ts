import { PATTERNS, type VariantName } from "../contract/rollout.ts";
import type { Decided, EntryFacts } from "./attribution.ts";
import { parseAlso } from "./wire/also.ts";
import type { RawDecision, RawEntry } from "./wire/raw-entry.ts";

/** `AccessLogType` of an entry that ends a request (accesslog.proto). */
const NOT_SET = 0;
const DOWNSTREAM_END = 6;

/** False for entries that Envoy may be told to write before a request's end, or for a single attempt. */
export const isFinal = ({ type }: RawEntry): boolean => type === NOT_SET || type === DOWNSTREAM_END;

/** What attribution reads of one access log entry. Throws on metadata that no sidecar writes. */
export function entryFacts(entry: RawEntry): EntryFacts {
  const { decision, firstUpstreamTxMs: sent, lastUpstreamRxMs: received, durationMs = 0 } = entry;
  return {
    decided: decision === undefined ? undefined : decidedOf(decision),
    upstreamCluster: entry.upstreamCluster,
    upstreamReached: entry.hasUpstreamAddress,
    isOddHost: entry.hasUpstreamAddress ? entry.isOddAddress : undefined,
    attempts: entry.attempts,
    responseCode: entry.responseCode,
    grpcStatus: grpcStatusOf(entry.trailerStatus, entry.headerStatus),
    flags: entry.flags,
    upstreamMs: sent === undefined || received === undefined ? undefined : Math.max(0, received - sent),
    durationMs,
    firstByteMs: entry.firstDownstreamTxMs,
  };
}

/** The status that gRPC's client sees: that of the trailers, or of the headers of an answer without a body. */
export function grpcStatusOf(trailer: string | undefined, header: string | undefined): number | undefined {
  const status = trailer ?? header;
  return status === undefined || status === "" ? undefined : Number(status);
}

function decidedOf({ variant, rollout, run, control, cluster, bucket, session, also }: RawDecision): Decided {
  return {
    variant: variantOf(variant),
    rollout,
    run: runOf(run),
    control: control === "true",
    cluster,
    bucket,
    isSession: session === "true",
    also: parseAlso(also),
  };
}

function variantOf(text: string | undefined): VariantName {
  if (text === undefined || !PATTERNS.variant.test(text)) throw new Error(`no sidecar decides for the variant ${text ?? ""}`);
  return text;
}

/** Absent without a rollout. */
function runOf(text = "0"): number {
  const run = Number(text);
  if (!Number.isSafeInteger(run) || run < 0) throw new Error(`no sidecar counts a run ${text}`);
  return run;
}

import { METADATA_NAMESPACE } from "../../contract/names.ts";
import type { VariantName } from "../../contract/rollout.ts";
import type { EntryFacts } from "../attribution.ts";
import { Cursor } from "./cursor.ts";
import { type Message, MessageReader } from "./fields.ts";
import { STREAM_ACCESS_LOGS, schemaOf } from "./schemas.ts";

/** Parts of `HTTPAccessLogEntry` that are read (accesslog.proto). */
export interface HttpAccessLogEntry {
  readonly commonProperties?: {
    readonly duration?: Duration;
    readonly timeToFirstUpstreamTxByte?: Duration;
    readonly timeToLastUpstreamRxByte?: Duration;
    readonly accessLogType?: number;
    readonly upstreamCluster?: string;
    readonly upstreamRemoteAddress?: object;
    readonly upstreamRequestAttemptCount?: number;
    readonly responseFlags?: Readonly<Record<string, unknown>>;
    readonly metadata?: { readonly filterMetadata?: ReadonlyMap<string, { readonly fields?: Values }> };
  };
  readonly response?: {
    readonly responseCode?: { readonly value?: number };
    readonly responseTrailers?: ReadonlyMap<string, string>;
    readonly responseHeaders?: ReadonlyMap<string, string>;
  };
}

type Values = ReadonlyMap<string, { readonly stringValue?: string; readonly numberValue?: number }>;

interface Duration {
  readonly seconds?: number;
  readonly nanos?: number;
}

/** `AccessLogType` of an entry that ends a request (accesslog.proto). */
const NOT_SET = 0;
const DOWNSTREAM_END = 6;

/** Reads Envoy's access log messages straight from the bytes. */
export class AccessLogReader {
  readonly #reader = new MessageReader(new Cursor());
  readonly #schema: Message = schemaOf("envoy.service.accesslog.v3.StreamAccessLogsMessage", STREAM_ACCESS_LOGS);

  /** The entries of a `StreamAccessLogsMessage` in the bytes [from, to). Throws WireError. */
  read(bytes: Buffer, from: number, to: number): readonly HttpAccessLogEntry[] {
    // The schema keeps the fields of this type and no others.
    const { httpLogs } = this.#reader.read(bytes, [from, to], this.#schema) as { httpLogs?: { logEntry?: HttpAccessLogEntry[] } };
    return httpLogs?.logEntry ?? [];
  }
}

const ms = (duration: Duration | undefined): number | undefined =>
  duration === undefined ? undefined : (duration.seconds ?? 0) * 1_000 + (duration.nanos ?? 0) / 1_000_000;

/** False for entries that Envoy may be told to write before a request's end, or for a single attempt. */
export const isFinal = ({ commonProperties }: HttpAccessLogEntry): boolean => {
  const type = commonProperties?.accessLogType ?? NOT_SET;
  return type === NOT_SET || type === DOWNSTREAM_END;
};

/** What attribution reads of one access log entry. Throws on metadata that no sidecar writes. */
export function entryFacts(entry: HttpAccessLogEntry): EntryFacts {
  const common = entry.commonProperties ?? {};
  const fields = common.metadata?.filterMetadata?.get(METADATA_NAMESPACE)?.fields;
  const sent = ms(common.timeToFirstUpstreamTxByte);
  const received = ms(common.timeToLastUpstreamRxByte);
  const grpcStatus = entry.response?.responseTrailers?.get("grpc-status") ?? entry.response?.responseHeaders?.get("grpc-status");
  return {
    decided: fields === undefined ? undefined : decided(fields),
    upstreamCluster: common.upstreamCluster ?? "",
    upstreamReached: common.upstreamRemoteAddress !== undefined,
    attempts: common.upstreamRequestAttemptCount ?? 0,
    responseCode: entry.response?.responseCode?.value ?? 0,
    grpcStatus: grpcStatus === undefined || grpcStatus === "" ? undefined : Number(grpcStatus),
    flags:
      common.responseFlags === undefined
        ? NO_FLAGS
        : Object.keys(common.responseFlags).filter((name) => isSet(common.responseFlags?.[name])),
    upstreamMs: sent === undefined || received === undefined ? undefined : Math.max(0, received - sent),
    durationMs: ms(common.duration) ?? 0,
  };
}

const NO_FLAGS: readonly string[] = [];
const isSet = (flag: unknown): boolean => flag === true;

function decided(fields: Values): NonNullable<EntryFacts["decided"]> {
  const text = (name: string): string | undefined => fields.get(name)?.stringValue;
  return {
    variant: variantOf(text("variant")),
    rollout: text("rollout"),
    run: runOf(text("run")),
    control: text("control") === "true",
    cluster: text("cluster"),
    bucket: fields.get("bucket")?.numberValue,
  };
}

function variantOf(text: string | undefined): VariantName {
  if (text !== "stable" && text !== "canary") throw new Error(`no sidecar decides for the variant ${text ?? ""}`);
  return text;
}

/** Absent without a rollout. */
function runOf(text = "0"): number {
  const run = Number(text);
  if (!Number.isSafeInteger(run) || run < 0) throw new Error(`no sidecar counts a run ${text}`);
  return run;
}

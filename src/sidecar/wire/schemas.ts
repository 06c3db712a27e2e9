import { METADATA_NAMESPACE } from "../../contract/names.ts";
import type { Field, Message, Scalar } from "./fields.ts";
import { MESSAGE_TABLES } from "./message-tables.ts";

/** Name under which Envoy files the attributes that its filter was told to send, and the one that is read. */
export const FILTER = "envoy.filters.http.ext_proc";
export const SOURCE_ADDRESS = "source.address";

/** Fields of one message that are kept, by name: `true`, or for a map the keys that are kept, in ASCII. */
type Kept = Readonly<Record<string, true | readonly string[]>>;

/** Fields that are kept, by message; all others are only checked. */
export type KeptFields = Readonly<Record<string, "all" | Kept>>;

/** The schema of a message and of all that it holds. */
export function schemaOf(root: string, kept: KeptFields): Message {
  const made = new Map<string, Message>();
  const make = (path: string): Message => {
    const known = made.get(path);
    if (known !== undefined) return known;
    const message: Message = [];
    // First, because messages may contain themselves.
    made.set(path, message);
    for (const line of MESSAGE_TABLES[path] ?? []) {
      const [number, name = "", kind = ""] = line.split(" ");
      message[Number(number)] = fieldOf(name, kind, keeping(kept[path], name));
    }
    return message;
  };
  const fieldOf = (name: string, kind: string, isKept: true | readonly string[] | undefined): Field => {
    const shape = kind.endsWith("[]") ? "list" : kind.endsWith("{}") ? "map" : "one";
    const type = shape === "one" ? kind : kind.slice(0, -2);
    return {
      name: isKept === undefined ? undefined : name,
      // What is no message is a scalar: the generator knows no other.
      kind: Object.hasOwn(MESSAGE_TABLES, type) ? make(type) : (type as Scalar),
      shape,
      keys: Array.isArray(isKept) ? isKept : [],
    };
  };
  return make(root);
}

const keeping = (kept: "all" | Kept | undefined, name: string): true | readonly string[] | undefined =>
  kept === "all" ? true : kept?.[name];

/** What a decision reads of `ProcessingRequest` besides headers: where the connection comes from. */
export const PROCESSING_REQUEST: KeptFields = {
  "envoy.service.ext_proc.v3.ProcessingRequest": { attributes: [FILTER] },
  "google.protobuf.Struct": { fields: [SOURCE_ADDRESS] },
  "google.protobuf.Value": { stringValue: true },
};

/** The parts of `StreamAccessLogsMessage` that attribution reads. */
export const STREAM_ACCESS_LOGS: KeptFields = {
  "google.protobuf.Struct": { fields: ["variant", "rollout", "run", "control", "cluster", "bucket"] },
  "google.protobuf.Value": { numberValue: true, stringValue: true, structValue: true },
  "envoy.service.accesslog.v3.StreamAccessLogsMessage": { httpLogs: true },
  "envoy.service.accesslog.v3.StreamAccessLogsMessage.HTTPAccessLogEntries": { logEntry: true },
  "envoy.data.accesslog.v3.HTTPAccessLogEntry": { commonProperties: true, response: true },
  "envoy.data.accesslog.v3.AccessLogCommon": {
    duration: true,
    timeToFirstUpstreamTxByte: true,
    timeToLastUpstreamRxByte: true,
    accessLogType: true,
    upstreamCluster: true,
    upstreamRemoteAddress: true,
    upstreamRequestAttemptCount: true,
    responseFlags: true,
    metadata: true,
  },
  "envoy.data.accesslog.v3.ResponseFlags": "all",
  "google.protobuf.Duration": { seconds: true, nanos: true },
  "envoy.config.core.v3.Metadata": { filterMetadata: [METADATA_NAMESPACE] },
  "envoy.data.accesslog.v3.HTTPResponseProperties": {
    responseCode: true,
    responseHeaders: ["grpc-status"],
    responseTrailers: ["grpc-status"],
  },
  "google.protobuf.UInt32Value": { value: true },
};

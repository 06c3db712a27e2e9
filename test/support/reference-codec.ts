import { join } from "node:path";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import { packageRoot } from "../../src/io/package-root.ts";

/** Reads and writes messages by the vendored protocol files: the plain twin of the sidecar's own readers and writers. */
export interface ReferenceCodec {
  encode(message: object): Buffer;
  /** Throws where the bytes are no such message. */
  decode(bytes: Buffer): Record<string, unknown>;
}

const OPTIONS = { longs: Number, oneofs: true } as const;
const FILES = ["envoy/service/ext_proc/v3/external_processor.proto", "envoy/service/accesslog/v3/als.proto"];

/** The codec of a message by its full name; enums come as names, or as numbers. */
export function referenceCodec(name: string, { enums = String }: { enums?: typeof String | typeof Number } = {}): ReferenceCodec {
  const loaded = loadSync(FILES, {
    ...OPTIONS,
    includeDirs: [join(packageRoot(), "proto")],
    ...(enums === String ? { enums: String } : {}),
  });
  // Of everything that the files define, what bears the name of a message is a message.
  const type = loaded[name] as MessageTypeDefinition<object, object> | undefined;
  if (type === undefined) throw new Error(`the protocol files define no ${name}`);
  return { encode: type.serialize, decode: (bytes) => type.deserialize(bytes) as Record<string, unknown> };
}

export const PROCESSING_REQUEST = "envoy.service.ext_proc.v3.ProcessingRequest";
export const PROCESSING_RESPONSE = "envoy.service.ext_proc.v3.ProcessingResponse";
export const STREAM_ACCESS_LOGS = "envoy.service.accesslog.v3.StreamAccessLogsMessage";

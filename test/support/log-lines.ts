import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { shippedEnvoyConfig } from "../../src/demo/envoy.ts";
import { otlpCodecOf } from "./otlp-counters.ts";

/** What Envoy writes for what is absent. */
const ABSENT = "-";

/** Values by command, as `%RESPONSE_CODE%` → `200`; what is missing is absent. */
export type LineValues = Readonly<Record<string, string>>;

/** A line as Envoy writes it by the shipped configuration: with these values in the places of the commands. */
export const lineOf = (values: LineValues): string => FORMAT.replaceAll(/%[^%]+%/g, (command) => values[command] ?? ABSENT);

const FORMAT = shippedFormat();

function shippedFormat(): string {
  const { static_resources: resources } = parse(readFileSync(shippedEnvoyConfig(), "utf8"));
  const [{ typed_config: logger }] = resources.listeners[0].filter_chains[0].filters[0].typed_config.access_log;
  return String(logger.body.string_value);
}

/** As much of OTLP's logs as the sidecar reads (opentelemetry-proto: logs_service.proto, logs.proto, common.proto). */
export const LOG_TABLES: Readonly<Record<string, string>> = {
  ExportLogsRequest: "1 resourceLogs ResourceLogs[]",
  ResourceLogs: "2 scopeLogs ScopeLogs[]",
  ScopeLogs: "2 logRecords LogRecord[]",
  LogRecord: "5 body AnyValue",
  AnyValue: "1 stringValue string",
  ExportLogsResponse: "1 partialSuccess PartialSuccess",
  PartialSuccess: "1 rejectedLogRecords int64",
};

export const EXPORT_LOGS_REQUEST = "ExportLogsRequest";
export const EXPORT_LOGS_RESPONSE = "ExportLogsResponse";

/** The reference decoder for these messages. */
export const logsCodec = (type: string) => otlpCodecOf(type, LOG_TABLES);

/** A request as Envoy's logger sends it: a record for each line. */
export const exportOf = (lines: readonly string[]): object => ({
  resourceLogs: [{ scopeLogs: [{ logRecords: lines.map((stringValue) => ({ body: { stringValue } })) }] }],
});

/** The bodies of a request, read the plain way. */
export function plainLines(message: object): string[] {
  const records: { body?: { stringValue?: string } }[] = (Object(message).resourceLogs ?? []).flatMap(
    ({ scopeLogs = [] }: { scopeLogs?: { logRecords?: object[] }[] }) => scopeLogs.flatMap(({ logRecords = [] }) => logRecords),
  );
  return records.map(({ body }) => body?.stringValue ?? "");
}

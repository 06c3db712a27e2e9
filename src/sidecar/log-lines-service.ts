import type { AccessLogPorts } from "./access-log-service.ts";
import { attribute, attributeToggles } from "./attribution.ts";
import type { Method } from "./h2/stream.ts";
import { LineReader } from "./line-facts.ts";
import { LogLineReader, PARTIAL_SUCCESS, REJECTED_LOG_RECORDS } from "./wire/log-lines.ts";
import { lengthField, varintField } from "./wire/writer.ts";

/** An `ExportLogsServiceResponse` that accepts everything. */
const ACCEPTED = Buffer.alloc(0);

/**
 * Takes outcomes as lines of text: OTLP's export of logs (opentelemetry.proto.collector.logs.v1.LogsService/Export). What it answers is
 * what Envoy counts as written or dropped.
 */
export function logLinesMethod(ports: AccessLogPorts): Method {
  const logs = new LogLineReader();
  const lines = new LineReader();
  const isTaken = (line: string): boolean => {
    try {
      const facts = lines.read(line);
      ports.ended(attribute(facts), facts);
      for (const attribution of attributeToggles(facts)) ports.ended(attribution, facts);
      return true;
    } catch (error) {
      ports.surprise("access log entry", error);
      return false;
    }
  };
  return (call) => ({
    message(bytes, from, to) {
      let rejected = 0;
      for (const line of logs.read(bytes, from, to)) if (!isTaken(line)) rejected += 1;
      call.send(rejected === 0 ? ACCEPTED : lengthField(PARTIAL_SUCCESS, varintField(REJECTED_LOG_RECORDS, rejected)));
    },
    halfClosed: () => call.end(),
    closed: () => undefined,
  });
}

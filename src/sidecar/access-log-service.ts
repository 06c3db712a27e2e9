import type { ServerReadableStream, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import { type Attribution, attribute } from "./attribution.ts";
import { entryFacts, isFinal } from "./wire/access-log.ts";
import type { StreamAccessLogsMessage } from "./wire/messages.ts";

/** What the access log service needs from the sidecar. */
export interface AccessLogPorts {
  ended(attribution: Attribution): void;
  surprise(kind: string, error: unknown): void;
}

/** The service, and the way to end its streams, which Envoy keeps open for ever. */
export interface AccessLogService {
  readonly implementation: UntypedServiceImplementation;
  endAll(): void;
}

type Stream = ServerReadableStream<StreamAccessLogsMessage, object>;

/** Takes outcomes from Envoy's access log stream. */
export function accessLogService(ports: AccessLogPorts): AccessLogService {
  const open = new Map<Stream, () => void>();
  const take = (message: StreamAccessLogsMessage): void => {
    for (const entry of message.httpLogs?.logEntry ?? []) {
      try {
        if (!isFinal(entry)) continue;
        ports.ended(attribute(entryFacts(entry)));
      } catch (error) {
        ports.surprise("access log entry", error);
      }
    }
  };
  return {
    implementation: {
      streamAccessLogs(stream: Stream, callback: sendUnaryData<object>): void {
        const finish = (): void => {
          if (open.delete(stream)) callback(null, {});
        };
        open.set(stream, finish);
        stream.on("data", take);
        stream.on("end", finish);
        stream.on("cancelled", () => open.delete(stream));
        stream.on("close", () => open.delete(stream));
        stream.on("error", (error: unknown) => {
          open.delete(stream);
          ports.surprise("access log stream", error);
        });
      },
    },
    endAll() {
      for (const finish of [...open.values()]) finish();
    },
  };
}

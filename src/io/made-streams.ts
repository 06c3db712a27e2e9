import { JetStreamApiError, JetStreamError, jetstreamManager } from "@nats-io/jetstream";
import { type NatsConnection, NoRespondersError, RequestError, TimeoutError } from "@nats-io/transport-node";
import { STREAMS } from "../contract/names.ts";

/** Whether the server says that there is no such stream. */
export const isNoStream = (error: unknown): boolean => error instanceof Error && error.name === "StreamNotFoundError";

/**
 * Whether no controller ever made the streams: nobody answers for them then, as while the servers that keep them are away. It asks for the
 * one that every role but the sidecars' may ask for. Throws where NATS does not tell.
 */
export async function areUnmade(connection: NatsConnection): Promise<boolean> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 3_000 });
  return manager.streams.info(STREAMS.state).then(
    () => false,
    (error: unknown) => {
      if (isNoStream(error)) return true;
      throw error;
    },
  );
}

/** Whether nobody answered a question about a stream: its servers are away, or too few of them answer each other. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof TimeoutError || error instanceof NoRespondersError) return true;
  if (error instanceof RequestError) return error.isNoResponders() || error.cause instanceof TimeoutError;
  // A batch is answered so; the client does not export the class.
  if (error instanceof JetStreamError && error.name === "JetStreamStatusError") return "code" in error && error.code === 503;
  return error instanceof JetStreamApiError && error.status >= 500;
}

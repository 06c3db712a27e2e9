import { JetStreamApiError, type JetStreamManager, jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import { type NatsConnection, NoRespondersError, RequestError, TimeoutError } from "@nats-io/transport-node";
import { STREAMS } from "../contract/names.ts";

/** Whether the server says that there is no such stream. */
export const isNoStream = (error: unknown): boolean => error instanceof Error && error.name === "StreamNotFoundError";

/** What the server tells of a stream; undefined where there is no such stream. Throws where NATS does not tell. */
export const infoOf = (manager: JetStreamManager, stream: string): Promise<StreamInfo | undefined> =>
  manager.streams.info(stream).catch((error: unknown) => {
    if (isNoStream(error)) return undefined;
    throw error;
  });

/**
 * Whether no controller ever made the streams: nobody answers for them then, as while the servers that keep them are away. It asks for the
 * one that every role but the sidecars' may ask for. Throws where NATS does not tell.
 */
export async function areUnmade(connection: NatsConnection): Promise<boolean> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 3_000 });
  return (await infoOf(manager, STREAMS.state)) === undefined;
}

/** JetStream's codes for what is away for now: no leader of all, none of a group, a stream offline. */
const AWAY = [10_008, 10_009, 10_118];

/** Codes for replicas that no servers are there for: no suitable peers, no cluster, replicas outside of one. */
const TOO_FEW = [10_005, 10_010, 10_074];

const hasCode = (error: unknown, codes: readonly number[]): boolean => error instanceof JetStreamApiError && codes.includes(error.code);

/** Whether nobody answered a question about a stream: its servers are away, or too few of them answer each other. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof TimeoutError || error instanceof NoRespondersError) return true;
  if (error instanceof RequestError) return error.isNoResponders() || error.cause instanceof TimeoutError;
  // A batch that nobody answers; the client does not export the class.
  if (error instanceof Error && error.name === "JetStreamStatusError") return "code" in error && error.code === 503;
  return hasCode(error, AWAY);
}

/** Whether NATS has not as many servers as a stream should have replicas. */
export const isTooFewServers = (error: unknown): boolean => hasCode(error, TOO_FEW);

import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { type KillOrder, type KillScope, type SignedKill, scopeToken } from "../contract/kills.ts";
import { STREAMS, SUBJECTS } from "../contract/names.ts";
import { type OperatorKeys, orderId, statedKill, verifiedKill } from "./kill-signatures.ts";
import { areUnmade, infoOf, isTooFewServers } from "./made-streams.ts";
import { ensureKills, type NatsLink } from "./nats.ts";

/** Stores an order: sidecars hear it as it is published, and find it later. Answers with the id by which they tell of it. */
export async function storeKill(link: NatsLink, scope: KillScope, signed: SignedKill): Promise<string> {
  await ensureOrders(await jetstreamManager(link.connection, { timeout: 3_000 }));
  const text = JSON.stringify(signed);
  await link.jetstream.publish(SUBJECTS.kill(scopeToken(scope)), text);
  return orderId(text);
}

/**
 * Makes the stream of orders where there is none, on as many servers as keep live state, or three before any controller ran: were it on one alone,
 * no controller could lead while that one is away. Where NATS has not as many, one is better than no order.
 */
async function ensureOrders(manager: JetStreamManager): Promise<void> {
  if ((await infoOf(manager, STREAMS.kills)) !== undefined) return;
  const state = await manager.streams.info(STREAMS.state).catch(() => undefined);
  const replicas = state?.config.num_replicas ?? 3;
  await ensureKills(manager, { replicas, onFewer: () => undefined }).catch((error: unknown) => {
    if (!(error instanceof Error && isTooFewServers(error.cause))) throw error;
    return ensureKills(manager);
  });
}

/** The last order of each scope; none where nobody ever gave one. Throws when the server does not answer. */
export async function readKills({ connection, doubtsSilence }: NatsLink): Promise<Uint8Array[]> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 3_000 });
  const found: Uint8Array[] = [];
  try {
    const messages = await manager.direct.getLastMessagesFor(STREAMS.kills, { multi_last: [SUBJECTS.allKills] });
    for await (const { data } of messages) found.push(data);
  } catch (error) {
    if (!isNothing(error) || (isSilence(error) && doubtsSilence && !(await areUnmade(connection)))) throw error;
  }
  return found;
}

/** Orders in force as they stand in NATS. */
export interface StoredOrders {
  readonly inForce: readonly KillOrder[];
  /** Why others count for nothing. */
  readonly refused: readonly string[];
}

/** Reads the orders in force. Without keys nobody has checked who signed them. */
export async function readOrders(link: NatsLink, keys?: OperatorKeys): Promise<StoredOrders> {
  const found = (await readKills(link)).map((data) => (keys === undefined ? statedKill(data) : verifiedKill(data, keys)));
  return {
    inForce: found.flatMap((order) => ("refused" in order || !order.off ? [] : [order])),
    refused: found.flatMap((order) => ("refused" in order ? [order.refused] : [])),
  };
}

const hasCode = (error: unknown, code: number): boolean => error instanceof Error && "code" in error && error.code === code;
/** Nobody answers for the stream: there is none, or its servers are away. */
const isSilence = (error: unknown): boolean => hasCode(error, 503);
/** No message in the stream, or no such stream. */
const isNothing = (error: unknown): boolean => hasCode(error, 404) || isSilence(error);

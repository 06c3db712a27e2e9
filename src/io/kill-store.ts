import { jetstreamManager } from "@nats-io/jetstream";
import { KillOrderSchema, type KillScope, type SignedKill, SignedKillSchema, scopeToken } from "../contract/kills.ts";
import { STREAMS, SUBJECTS } from "../contract/names.ts";
import { ensureKills, type NatsLink, readLast } from "./nats.ts";

/** Stores an order: sidecars hear it as it is published, and find it later. */
export async function storeKill(link: NatsLink, scope: KillScope, signed: SignedKill): Promise<void> {
  await ensureKills(await jetstreamManager(link.connection, { timeout: 3_000 }));
  await link.jetstream.publish(SUBJECTS.kill(scopeToken(scope)), JSON.stringify(signed));
}

/** Whether the last order of this scope switches off, by its own word: nobody here vouches for its signature. Throws when the server does not answer. */
export async function isKilled(link: NatsLink, scope: KillScope): Promise<boolean> {
  const stored = await readLast(link, STREAMS.kills, SUBJECTS.kill(scopeToken(scope)));
  const signed = SignedKillSchema.safeParse(stored && parseJson(stored.data));
  if (!signed.success) return false;
  return KillOrderSchema.safeParse(parseJson(signed.data.payload)).data?.off === true;
}

function parseJson(text: Uint8Array | string): unknown {
  try {
    return JSON.parse(Buffer.from(text).toString("utf8"));
  } catch {
    return undefined; // No order: the schema refuses it.
  }
}

/** The last order of each scope; none where nobody ever gave one. Throws when the server does not answer. */
export async function readKills({ connection }: NatsLink): Promise<Uint8Array[]> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 3_000 });
  const found: Uint8Array[] = [];
  try {
    const messages = await manager.direct.getLastMessagesFor(STREAMS.kills, { multi_last: [SUBJECTS.allKills] });
    for await (const { data } of messages) found.push(data);
  } catch (error) {
    if (!isNothing(error)) throw error;
  }
  return found;
}

/** There is no such stream yet, or no message in it. */
const isNothing = (error: unknown): boolean =>
  error instanceof Error &&
  (("code" in error && error.code === 404) || ("isNoResponders" in error && Object(error).isNoResponders() === true));

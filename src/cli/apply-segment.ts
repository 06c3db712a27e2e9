import type { Command, Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import type { NatsLink } from "../io/nats.ts";
import { sendCommand } from "../io/store.ts";
import type { CliParts } from "./parts.ts";
import type { CutSegment } from "./segment-users.ts";

interface Sending {
  readonly link: NatsLink;
  readonly parts: CliParts;
  readonly reason: string | undefined;
}

const COMMAND_MS = 5_000;
/** Chunks may be purged, or leaders change, between the sending of chunks and the apply. */
const ATTEMPTS = 3;

/** Hands a segment to the leader, with those of its chunks that are not in the store yet. */
export async function applySegment({ plan, chunks }: CutSegment, { link, parts, reason }: Sending): Promise<Reply> {
  const send = (more: Pick<Command, "verb"> & Partial<Command>): Promise<Reply> => {
    const who = { name: parts.user, claimed: true };
    return sendCommand(link, { format: FORMAT, id: parts.newId(), who, ...(reason === undefined ? {} : { reason }), ...more }, COMMAND_MS);
  };
  let reply = await send({ verb: "apply", document: plan });
  for (let attempt = 1; attempt < ATTEMPTS && reply.lacking !== undefined; attempt += 1) {
    for (const hash of reply.lacking) {
      const stored = await send({ verb: "store", chunk: chunks.get(hash)?.toString("base64") ?? "" });
      if (stored.result !== "done") return stored;
    }
    reply = await send({ verb: "apply", document: plan });
  }
  return reply;
}

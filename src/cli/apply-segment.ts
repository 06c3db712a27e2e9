import type { Command, Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import type { NatsLink } from "../io/nats.ts";
import type { CliParts } from "./parts.ts";
import type { CutSegment } from "./segment-users.ts";
import { send } from "./verbs.ts";

interface Sending {
  readonly link: NatsLink;
  readonly parts: CliParts;
  readonly reason: string | undefined;
}

/** Chunks may be purged, or leaders change, between the sending of chunks and the apply. */
const ATTEMPTS = 3;

/** Hands a segment to the leader, with those of its chunks that are not in the store yet. */
export async function applySegment({ plan, chunks }: CutSegment, { link, parts, reason }: Sending): Promise<Reply> {
  const give = (more: Pick<Command, "verb"> & Partial<Command>): Promise<Reply> => {
    const who = { name: parts.user, claimed: true };
    return send(link, { format: FORMAT, id: parts.newId(), who, ...(reason === undefined ? {} : { reason }), ...more }, parts);
  };
  let reply = await give({ verb: "apply", document: plan });
  for (let attempt = 1; attempt < ATTEMPTS && reply.lacking !== undefined; attempt += 1) {
    for (const hash of reply.lacking) {
      const stored = await give({ verb: "store", chunk: chunks.get(hash)?.toString("base64") ?? "" });
      if (stored.result !== "done") return stored;
    }
    reply = await give({ verb: "apply", document: plan });
  }
  return reply;
}

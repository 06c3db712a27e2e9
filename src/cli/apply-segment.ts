import type { Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import type { NatsLink } from "../io/nats.ts";
import { type CutSegment, handOver } from "../told/segment-cut.ts";
import type { CliParts } from "./parts.ts";
import { send } from "./verbs.ts";

interface Sending {
  readonly link: NatsLink;
  readonly parts: CliParts;
  readonly reason: string | undefined;
}

/** Hands a segment to the leader, with those of its chunks that are not in the store yet. */
export function applySegment(segment: CutSegment, { link, parts, reason }: Sending): Promise<Reply> {
  const who = { name: parts.user, claimed: true };
  return handOver(segment, (command) =>
    send(link, { format: FORMAT, id: parts.newId(), who, ...(reason === undefined ? {} : { reason }), ...command }, parts),
  );
}

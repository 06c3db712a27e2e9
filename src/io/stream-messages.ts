import { jetstreamManager } from "@nats-io/jetstream";
import { areUnmade, isUnanswered } from "./made-streams.ts";
import type { NatsLink, Stored } from "./nats.ts";

const PAGE = 256;

/** All messages of a subject in a stream, oldest first; none where there is no such stream. */
export async function* messagesOf(link: NatsLink, stream: string, subject: string): AsyncGenerator<Stored> {
  const manager = await jetstreamManager(link.connection, { checkAPI: false, timeout: 3_000 });
  for (let next = 1, count = PAGE; count === PAGE; ) {
    count = 0;
    try {
      for await (const { seq, data } of await manager.direct.getBatch(stream, { seq: next, batch: PAGE, next_by_subj: subject })) {
        yield { subject, sequence: seq, data };
        next = seq + 1;
        count += 1;
      }
    } catch (error) {
      if (!isNothingFound(error) && !(isUnanswered(error) && (await areUnmade(link.connection)))) throw error;
    }
  }
}

/** JetStream answers 404 to a batch that finds nothing, and the client turns that into an error. */
const isNothingFound = (error: unknown): boolean => statusOf(error) === 404;

function statusOf(error: unknown): unknown {
  const isStatus = error instanceof Error && (error.name === "JetStreamStatusError" || error.name === "JetStreamError");
  return isStatus && "code" in error ? error.code : undefined;
}

import { ReceiptSchema } from "../contract/messages.ts";
import { STREAMS, SUBJECTS } from "../contract/names.ts";
import type { Logger } from "../io/log.ts";
import { type NatsLink, readLast } from "../io/nats.ts";
import { decodeStored } from "../io/store.ts";
import type { Term } from "./term.ts";

/** Hears the goodbyes that members of the fleet said while nobody led. Throws when NATS does not answer. */
export async function hearGoodbyes(link: NatsLink, term: Term, log: Logger): Promise<void> {
  const last = await Promise.all(term.sidecars.map((sidecar) => readLast(link, STREAMS.presence, SUBJECTS.presence(sidecar))));
  for (const word of last) {
    if (word === undefined) continue;
    try {
      // A first word tells nothing: the sidecar may have moved on since.
      if (decodeStored(ReceiptSchema, word).state === "goodbye") term.onReceipt(word);
    } catch (error) {
      log.warn({ err: error, subject: word.subject }, "last word of a sidecar that cannot be read");
    }
  }
}

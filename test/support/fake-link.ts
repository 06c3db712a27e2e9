import { headers, type Msg, RequestError } from "@nats-io/transport-node";
import type { NatsLink } from "../../src/io/nats.ts";

/** The little of a NATS connection that senders and readers touch, for tests of timing; real servers stand in the integration tests. */
export interface FakeLink {
  readonly link: NatsLink;
  readonly published: { subject: string; text: string }[];
  /** What a direct get finds, by state subject; a function is asked each time, and may throw or take its time. */
  readonly stored: Map<string, string | Uint8Array | (() => string | undefined | Promise<string | Uint8Array>)>;
  /** Subjects that were asked for, in order. */
  readonly asked: string[];
  /** Pushes to the subscribers of a subject. */
  push(subject: string, text: string): void;
  /** How a flush ends; never by itself when absent. */
  flush: () => Promise<void>;
}

type Callback = (error: Error | null, message: Partial<Msg>) => void;

export function createFakeLink(): FakeLink {
  const subscribers = new Map<string, Set<Callback>>();
  const fake: FakeLink = {
    published: [],
    stored: new Map(),
    asked: [],
    push(subject, text) {
      for (const callback of subscribers.get(subject) ?? []) callback(null, { subject, data: Buffer.from(text) });
    },
    flush: () => Promise.resolve(),
    link: Object({
      connection: {
        isClosed: () => false,
        flush: () => fake.flush(),
        publish: (subject: string, data: string | Uint8Array) => fake.published.push({ subject, text: Buffer.from(data).toString("utf8") }),
        subscribe(subject: string, { callback }: { callback: Callback }) {
          const held = subscribers.get(subject) ?? new Set();
          subscribers.set(subject, held.add(callback));
          return { unsubscribe: () => held.delete(callback) };
        },
        request: (subject: string) => answer(fake, subject),
      },
    }),
  };
  return fake;
}

async function answer({ stored, asked }: FakeLink, request: string): Promise<Partial<Msg>> {
  const subject = request.replace(/^\$JS\.API\.DIRECT\.GET\.[A-Z_]+\./, "");
  asked.push(subject);
  const found = stored.get(subject);
  const text = typeof found === "function" ? await found() : found;
  if (text === undefined) return { headers: headers(404, "Message Not Found"), data: new Uint8Array() };
  const sequence = headers();
  sequence.set("Nats-Sequence", "1");
  return { headers: sequence, data: Buffer.from(text) };
}

/** The error of a server that does not answer. */
export const noAnswer = (): never => {
  throw new RequestError("timeout");
};

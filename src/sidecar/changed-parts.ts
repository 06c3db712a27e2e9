import type { Logger } from "../io/log.ts";
import type { NatsLink } from "../io/nats.ts";
import type { Slices } from "../io/slices.ts";
import { LIVE_MS } from "./telling-pace.ts";

/** Something counted that is told as a whole, and only when it changed. */
export interface CountedPart {
  /** Names it among all of the sidecar. */
  readonly id: string;
  /** Another one after each change. */
  readonly version: number;
}

/** What there is to tell, and how. */
export interface Telling<Counted extends CountedPart, Part> {
  readonly link: NatsLink;
  readonly log: Logger;
  readonly slices: Slices;
  /** Names what is told, where it cannot be. */
  readonly what: string;
  readonly subject: string;
  /** Walked at each round; others may be counted meanwhile. */
  all(): Iterable<Counted>;
  /** The part as it is now, with how many users it holds. */
  partOf(counted: Counted): { readonly part: Part; readonly users: number };
  messageOf(parts: readonly Part[]): unknown;
  /** Until the next round, after one that told so many users. */
  pauseMs(users: number): number;
}

export interface PartsSender<Counted extends CountedPart = CountedPart> {
  /** Sends those of these that changed at once, as far as one message holds them. */
  tell(parts: Iterable<Counted>): void;
  /** Sends everything anew with the next messages: what was sent before may be lost. */
  resend(): void;
  /** Sends what is left. */
  stop(): Promise<void>;
}

/**
 * NATS takes 1 MiB, and a message is made in one go, in about a millisecond. A user takes at most 11 bytes for its hash and as
 * many for what is counted of it, a part's labels at most 300.
 */
const MAX_BYTES = 128 * 1_024;
const USER_BYTES = 24;
const PART_BYTES = 300;

/** Parts looked at in one go. */
const PARTS_A_STEP = 200;

/** Tells the parts that changed, each whole, so that a lost message costs nothing. */
export function startPartsSender<Counted extends CountedPart, Part>(telling: Telling<Counted, Part>): PartsSender<Counted> {
  const { link, log, what } = telling;
  /** Versions of what was sent, by part. */
  const sent: Sent = { versions: new Map() };
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<number> | undefined;
  const send = async (): Promise<number> => {
    try {
      return link.connection.isClosed() ? 0 : await sendChanged(telling, sent);
    } catch (error) {
      // What was not sent counts as changed still.
      log.error({ error }, `${what} could not be sent, the next message holds them`);
      return 0;
    }
  };
  const round = async (): Promise<void> => {
    sending = send();
    const users = await sending;
    sending = undefined;
    if (timer !== undefined) schedule(telling.pauseMs(users));
  };
  const schedule = (delayMs: number): void => {
    timer = setTimeout(() => void round(), delayMs);
    timer.unref();
  };
  schedule(LIVE_MS);
  return {
    tell(parts) {
      if (link.connection.isClosed()) return;
      const changed = changedMessage(telling, sent);
      for (const counted of parts) if (sent.versions.get(counted.id) !== counted.version && !changed.add(counted)) break;
      changed.publish();
    },
    resend() {
      sent.versions = new Map();
    },
    async stop() {
      clearTimeout(timer);
      timer = undefined;
      await sending;
      await send();
    },
  };
}

interface Sent {
  versions: Map<string, number>;
}

/** A message of changed parts, as it grows. */
function changedMessage<Counted extends CountedPart, Part>({ link, subject, partOf, messageOf }: Telling<Counted, Part>, sent: Sent) {
  let changed: { readonly counted: CountedPart; readonly part: Part; readonly before: number | undefined }[] = [];
  let room = MAX_BYTES;
  let users = 0;
  return {
    /** False where the message is full without it. A part that changes until the message is sent has another version then, and is told again. */
    add(counted: Counted): boolean {
      const { part, users: held } = partOf(counted);
      const bytes = PART_BYTES + USER_BYTES * held;
      if (bytes > room && changed.length > 0) return false;
      changed.push({ counted, part, before: sent.versions.get(counted.id) });
      room -= bytes;
      users += held;
      return true;
    },
    publish(): void {
      // What was told in the meantime is newer.
      const due = changed.filter(({ counted, before }) => sent.versions.get(counted.id) === before);
      if (due.length > 0) link.connection.publish(subject, JSON.stringify(messageOf(due.map(({ part }) => part))));
      for (const { counted } of due) sent.versions.set(counted.id, counted.version);
      changed = [];
      room = MAX_BYTES;
    },
    users: () => users,
  };
}

/** Sends the parts that changed, and tells how many users they hold. */
async function sendChanged<Counted extends CountedPart, Part>(telling: Telling<Counted, Part>, sent: Sent): Promise<number> {
  const here = new Set<string>();
  const changed = changedMessage(telling, sent);
  for (const counted of telling.all()) {
    here.add(counted.id);
    if (sent.versions.get(counted.id) === counted.version) {
      if (here.size % PARTS_A_STEP === 0) await telling.slices();
      continue;
    }
    if (!changed.add(counted)) {
      changed.publish();
      changed.add(counted);
    }
    await telling.slices();
  }
  changed.publish();
  for (const id of sent.versions.keys()) if (!here.has(id)) sent.versions.delete(id);
  return changed.users();
}

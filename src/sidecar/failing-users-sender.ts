import type { FailingUsersMessage } from "../contract/failing-users.ts";
import { FORMAT, SUBJECTS } from "../contract/names.ts";
import { storedSketch } from "../core/judge/key-sketch.ts";
import type { Logger } from "../io/log.ts";
import type { NatsLink } from "../io/nats.ts";
import type { Slices } from "../io/slices.ts";
import type { CurrentRules } from "./current-rules.ts";
import type { FailingUsers } from "./failing-users.ts";
import type { CountedUsers } from "./rollout-failures.ts";
import { IDLE_MS, isAnyLive, jittered, LIVE_MS } from "./telling-pace.ts";

/** More users than this in one go can wait: where so many fail, the counts of requests have long said so. */
const MANY_USERS = 256;

/**
 * NATS takes 1 MiB, and a message is made in one go, in about a millisecond. A user takes at most 11 bytes for its hash and some for
 * its requests, a part's labels at most 200.
 */
const MAX_BYTES = 128 * 1_024;
const USER_BYTES = 24;
const PART_BYTES = 200;

/** Parts looked at in one go. */
const PARTS_A_STEP = 200;

interface Parts {
  readonly id: string;
  readonly link: NatsLink;
  readonly rules: CurrentRules;
  readonly failing: FailingUsers;
  readonly log: Logger;
  readonly slices: Slices;
}

export interface FailingUsersSender {
  /** Sends everything anew with the next messages: what was sent before may be lost. */
  resend(): void;
  /** Sends what is left. */
  stop(): Promise<void>;
}

/** Tells the controller which users fail: parts that changed, each whole, so that a lost message costs nothing. */
export function startFailingUsersSender(parts: Parts): FailingUsersSender {
  const { link, rules, log } = parts;
  /** Versions of what was sent, by part. */
  const sent = { versions: new Map<string, number>() };
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<number> | undefined;
  const send = async (): Promise<number> => {
    try {
      return link.connection.isClosed() ? 0 : await sendChanged(parts, sent);
    } catch (error) {
      // What was not sent counts as changed still.
      log.error({ error }, "failing users could not be sent, the next message holds them");
      return 0;
    }
  };
  const round = async (): Promise<void> => {
    sending = send();
    const users = await sending;
    sending = undefined;
    if (timer !== undefined) schedule(jittered(users <= MANY_USERS && isAnyLive(rules) ? LIVE_MS : IDLE_MS));
  };
  const schedule = (delayMs: number): void => {
    timer = setTimeout(() => void round(), delayMs);
    timer.unref();
  };
  schedule(LIVE_MS);
  return {
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

/** Sends the parts that changed, and tells how many users they hold. */
async function sendChanged({ id, link, failing, slices }: Parts, sent: { versions: Map<string, number> }): Promise<number> {
  const publish = (parts: readonly Part[]): void => {
    if (parts.length === 0) return;
    link.connection.publish(SUBJECTS.failing(id), JSON.stringify(messageOf(failing.startedAtMs, parts)));
    for (const part of parts) sent.versions.set(part.id, part.version);
  };
  const here = new Set<string>();
  let users = 0;
  let parts: Part[] = [];
  let room = MAX_BYTES;
  for (const counted of failing.all()) {
    here.add(counted.id);
    if (sent.versions.get(counted.id) === counted.version) {
      if (here.size % PARTS_A_STEP === 0) await slices();
      continue;
    }
    // A part that changes until its message is sent has another version then, and is told again.
    const part = { ...counted, users: storedSketch(counted.users()) };
    const bytes = PART_BYTES + USER_BYTES * part.users.steps.length;
    if (bytes > room) {
      publish(parts);
      parts = [];
      room = MAX_BYTES;
    }
    parts.push(part);
    room -= bytes;
    users += part.users.steps.length;
    await slices();
  }
  publish(parts);
  for (const part of sent.versions.keys()) if (!here.has(part)) sent.versions.delete(part);
  return users;
}

type Part = Omit<CountedUsers, "users"> & Readonly<{ users: FailingUsersMessage["histories"][number]["users"] }>;

const messageOf = (startedAtMs: number, parts: readonly Part[]): FailingUsersMessage => ({
  format: FORMAT,
  startedAtMs,
  runs: parts.flatMap(({ rollout, of, users }) => (of === undefined ? [] : [{ rollout, ...of, users }])),
  histories: parts.flatMap(({ rollout, of, users }) => (of === undefined ? [{ rollout, users }] : [])),
});

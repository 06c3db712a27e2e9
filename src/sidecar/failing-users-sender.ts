import type { FailingUsersMessage } from "../contract/failing-users.ts";
import { FORMAT, SUBJECTS } from "../contract/names.ts";
import { storedSketch } from "../core/judge/key-sketch.ts";
import type { Logger } from "../io/log.ts";
import type { NatsLink } from "../io/nats.ts";
import { type CurrentRules, hasRollout, isLive } from "./current-rules.ts";
import type { FailingUsers } from "./failing-users.ts";
import type { CountedUsers } from "./rollout-failures.ts";

const LIVE_MS = 1_000;
const IDLE_MS = 4_000;
const JITTER_MS = 1_000;

/** More users than this in one go can wait: where so many fail, the counts of requests have long said so. */
const MANY_USERS = 256;

/** NATS takes 1 MiB; a user takes at most 11 bytes for its hash and some for its requests, a part's labels at most 200. */
const MAX_BYTES = 512 * 1_024;
const USER_BYTES = 24;
const PART_BYTES = 200;

interface Parts {
  readonly id: string;
  readonly link: NatsLink;
  readonly rules: CurrentRules;
  readonly failing: FailingUsers;
  readonly log: Logger;
}

export interface FailingUsersSender {
  /** Sends everything anew with the next message: what was sent before may be lost. */
  resend(): void;
  /** Sends what is left. */
  stop(): void;
}

/** Tells the controller which users fail: parts that changed, each whole, so that a lost message costs nothing. */
export function startFailingUsersSender({ id, link, rules, failing, log }: Parts): FailingUsersSender {
  let sent: ReadonlyMap<string, number> = new Map();
  let timer: NodeJS.Timeout | undefined;
  const sendChanged = (): number => {
    failing.follow();
    const all = failing.all();
    const changed = all
      .filter((part) => sent.get(part.id) !== part.version)
      .map((part) => ({ ...part, users: storedSketch(part.users()) }));
    for (const parts of inMessages(changed)) {
      link.connection.publish(SUBJECTS.failing(id), JSON.stringify(messageOf(failing.startedAtMs, parts)));
    }
    sent = new Map(all.map((part) => [part.id, part.version]));
    return changed.reduce((users, part) => users + part.users.steps.length, 0);
  };
  const send = (): void => {
    let users = 0;
    try {
      if (!link.connection.isClosed()) users = sendChanged();
    } catch (error) {
      // What was not sent counts as changed still.
      log.error({ error }, "failing users could not be sent, the next message holds them");
    }
    const isJudged = hasRollout(rules.compiled(), isLive);
    clearTimeout(timer);
    timer = setTimeout(send, (isJudged && users <= MANY_USERS ? LIVE_MS : IDLE_MS) + JITTER_MS * Math.random());
    timer.unref();
  };
  timer = setTimeout(send, LIVE_MS);
  timer.unref();
  return {
    resend() {
      sent = new Map();
    },
    stop() {
      send();
      clearTimeout(timer);
    },
  };
}

type Part = Pick<CountedUsers, "rollout" | "of"> & Readonly<{ users: FailingUsersMessage["histories"][number]["users"] }>;

/** As many parts in a message as fit. */
function inMessages(parts: readonly Part[]): Part[][] {
  const messages: Part[][] = [];
  let room = 0;
  for (const part of parts) {
    const bytes = PART_BYTES + USER_BYTES * part.users.steps.length;
    if (bytes > room) {
      messages.push([]);
      room = MAX_BYTES;
    }
    messages.at(-1)?.push(part);
    room -= bytes;
  }
  return messages;
}

const messageOf = (startedAtMs: number, parts: readonly Part[]): FailingUsersMessage => ({
  format: FORMAT,
  startedAtMs,
  runs: parts.flatMap(({ rollout, of, users }) => (of === undefined ? [] : [{ rollout, ...of, users }])),
  histories: parts.flatMap(({ rollout, of, users }) => (of === undefined ? [{ rollout, users }] : [])),
});

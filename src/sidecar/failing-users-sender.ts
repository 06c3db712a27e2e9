import type { FailingUsersMessage, StoredSketch } from "../contract/failing-users.ts";
import { FORMAT, SUBJECTS } from "../contract/names.ts";
import { storedSketch } from "../core/judge/key-sketch.ts";
import type { Logger } from "../io/log.ts";
import type { NatsLink } from "../io/nats.ts";
import type { Slices } from "../io/slices.ts";
import { type PartsSender, startPartsSender } from "./changed-parts.ts";
import type { CurrentRules } from "./current-rules.ts";
import type { FailingUsers } from "./failing-users.ts";
import type { CountedUsers } from "./rollout-failures.ts";
import { IDLE_MS, isAnyLive, jittered, LIVE_MS } from "./telling-pace.ts";

/** More users than this in one go can wait: where so many fail, the counts of requests have long said so. */
const MANY_USERS = 256;

interface Parts {
  readonly id: string;
  readonly link: NatsLink;
  readonly rules: CurrentRules;
  readonly failing: FailingUsers;
  readonly log: Logger;
  readonly slices: Slices;
}

/** Tells the controller which users fail. */
export interface FailingUsersSender extends Omit<PartsSender, "tell"> {
  /** Tells at once what changed of these, before the evidence that counts their failures; not where so many fail that it can wait. */
  tell(rollouts: Iterable<string>): void;
}

export function startFailingUsersSender({ id, link, rules, failing, log, slices }: Parts): FailingUsersSender {
  const sender = startPartsSender<CountedUsers, Part>({
    link,
    log,
    slices,
    what: "failing users",
    subject: SUBJECTS.failing(id),
    all: failing.all,
    partOf({ rollout, of, users: counted }) {
      const users = storedSketch(counted());
      return { part: { rollout, of, users }, users: users.steps.length };
    },
    messageOf: (parts) => messageOf(failing.startedAtMs, parts),
    pauseMs: (users) => jittered(users <= MANY_USERS && isAnyLive(rules) ? LIVE_MS : IDLE_MS),
  });
  return {
    ...sender,
    tell: (rollouts) => sender.tell([...rollouts].flatMap(failing.of).filter(({ size }) => size <= MANY_USERS)),
  };
}

type Part = Pick<CountedUsers, "rollout" | "of"> & Readonly<{ users: StoredSketch }>;

const messageOf = (startedAtMs: number, parts: readonly Part[]): FailingUsersMessage => ({
  format: FORMAT,
  startedAtMs,
  runs: parts.flatMap(({ rollout, of, users }) => (of === undefined ? [] : [{ rollout, ...of, users }])),
  histories: parts.flatMap(({ rollout, of, users }) => (of === undefined ? [{ rollout, users }] : [])),
});

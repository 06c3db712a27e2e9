import { AckPolicy, type Consumer, DeliverPolicy, type JetStreamManager, type JsMsg } from "@nats-io/jetstream";
import { TOLD_ACTIONS } from "../../contract/actions.ts";
import { type Audit, AuditSchema } from "../../contract/messages.ts";
import { STREAMS } from "../../contract/names.ts";
import type { Notifications, Receiver } from "../../contract/notifications.ts";
import type { Clock } from "../../io/clock.ts";
import type { Logger } from "../../io/log.ts";
import type { NatsLink } from "../../io/nats.ts";
import { decodeStored } from "../../io/store.ts";
import { isWanted, noticeOf } from "../../told/notice.ts";
import { bodyFor } from "../../told/notice-bodies.ts";
import { pause } from "../candidate.ts";
import { type Delivered, deliver } from "./deliver.ts";

export interface NotifierParts {
  readonly link: NatsLink;
  readonly manager: JetStreamManager;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: Readonly<{ notifySecrets?: string | undefined; publicUrl?: string | undefined }>;
  /** Of the policy in force; undefined while that is not known. */
  receivers(): Notifications | undefined;
  /** Writes a change as an Event of Kubernetes, which is told of whatever the policy says; nobody does where absent. */
  readonly tellEvent?: ((line: Audit, signal: AbortSignal) => Promise<Delivered>) | undefined;
}

/** Who is told, and how. */
interface Told extends Pick<Receiver, "name" | "events" | "rollouts" | "retryFor"> {
  tell(line: Audit): Promise<Delivered>;
}

const PREFIX = "notify-";
/** In capitals, as no receiver of a policy is named. */
const EVENTS = "KUBERNETES";
const HOUR_MS = 3_600_000;
/** Longer than any attempt lasts: until then nobody else gets the message. */
const ACK_WAIT_MS = 60_000;
/** The shortest that the client allows: a leader that ends waits for it. */
const PULL_MS = 1_000;
const TROUBLE_MS = 1_000;
/** What happened just before a receiver was written into the policy is told too, so that nothing falls between. */
const BACK_MS = 5_000;
const [FIRST_RETRY_MS, LONGEST_RETRY_MS] = [1_000, 60_000];
/** What is under way when this leader ends may finish in so long. */
const GRACE_MS = 2_000;

interface Running {
  readonly text: string;
  readonly ending: AbortController;
  readonly done: Promise<void>;
}

/**
 * Tells receivers of what stands in the audit. Each has a durable consumer of its own, which remembers what was told: one message at a
 * time, acknowledged when the receiver took it. So the next leader goes on where this one ended, a dead receiver keeps nobody waiting
 * but itself, and no rollout ever waits.
 */
class Notifier {
  readonly #parts: NotifierParts;
  readonly #running = new Map<string, Running>();
  readonly #grace = new AbortController();
  #known: Notifications | undefined;
  #isBusy = false;
  #isClosed = false;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  /** Follows the policy: begins with new receivers, ends with those that are gone. */
  async look(): Promise<void> {
    const receivers = this.#parts.receivers();
    if (receivers === undefined || receivers === this.#known || this.#isBusy) return;
    this.#isBusy = true;
    try {
      await this.#follow(receivers);
      this.#known = receivers;
    } catch (error) {
      this.#parts.log.warn({ err: error }, "notifications cannot follow the policy yet, trying again");
    } finally {
      this.#isBusy = false;
    }
  }

  async #follow(receivers: Notifications): Promise<void> {
    for (const [name, { ending, done, text }] of this.#running) {
      if (name === EVENTS || receivers.some((receiver) => receiver.name === name && JSON.stringify(receiver) === text)) continue;
      ending.abort();
      await done;
      this.#running.delete(name);
    }
    const all = [...receivers.map((receiver) => this.#told(receiver)), ...this.#events()];
    const names = all.map(({ name }) => PREFIX + name);
    for await (const { name } of this.#parts.manager.consumers.list(STREAMS.audit))
      if (name.startsWith(PREFIX) && !names.includes(name)) await this.#parts.manager.consumers.delete(STREAMS.audit, name);
    for (const receiver of all) {
      if (this.#running.has(receiver.name)) continue;
      await this.#ensureConsumer(receiver);
      if (this.#isClosed) return;
      const ending = new AbortController();
      this.#running.set(receiver.name, { text: JSON.stringify(receiver), ending, done: this.#run(receiver, ending.signal) });
    }
  }

  /** A receiver of the policy. */
  #told(receiver: Receiver): Told {
    const { clock, settings } = this.#parts;
    return {
      ...receiver,
      tell: (line) => {
        const body = bodyFor(receiver, noticeOf(line, settings.publicUrl), line);
        return deliver(receiver, body, { secrets: settings.notifySecrets, nowMs: clock.nowMs(), signal: this.#grace.signal });
      },
    };
  }

  #events(): Told[] {
    const { tellEvent } = this.#parts;
    if (tellEvent === undefined) return [];
    const tell = (line: Audit): Promise<Delivered> => tellEvent(line, this.#grace.signal);
    return [{ name: EVENTS, events: [...TOLD_ACTIONS], rollouts: ["*"], retryFor: HOUR_MS, tell }];
  }

  async #ensureConsumer({ name }: Told): Promise<void> {
    const { manager, clock } = this.#parts;
    try {
      await manager.consumers.info(STREAMS.audit, PREFIX + name);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "ConsumerNotFoundError") throw error;
      await manager.consumers.add(STREAMS.audit, {
        durable_name: PREFIX + name,
        ack_policy: AckPolicy.Explicit,
        ack_wait: ACK_WAIT_MS * 1_000_000,
        // In order, and so that a message which waits for its next attempt holds those behind it.
        max_ack_pending: 1,
        deliver_policy: DeliverPolicy.StartTime,
        opt_start_time: new Date(clock.nowMs() - BACK_MS).toISOString(),
      });
    }
  }

  async #run(receiver: Told, signal: AbortSignal): Promise<void> {
    const { link, log } = this.#parts;
    let isTroubled = false;
    let consumer: Consumer | undefined;
    while (!signal.aborted) {
      try {
        consumer ??= await link.jetstream.consumers.get(STREAMS.audit, PREFIX + receiver.name);
        const message = await consumer.next({ expires: PULL_MS });
        if (message !== null) await this.#take(message, receiver);
        isTroubled = false;
      } catch (error) {
        consumer = undefined;
        if (!isTroubled && !signal.aborted) log.warn({ err: error, receiver: receiver.name }, "notifications cannot be read, trying again");
        isTroubled = true;
        await pause(TROUBLE_MS, signal);
      }
    }
  }

  async #take(message: JsMsg, receiver: Told): Promise<void> {
    const { clock, log } = this.#parts;
    const line = this.#lineIn(message);
    if (line === undefined || !isWanted(receiver, line)) return message.ack();
    const delivered = await receiver.tell(line);
    const said = { receiver: receiver.name, audit: line.id, rollout: line.rollout, action: line.action };
    if (delivered.type === "told") {
      await message.ackAck();
      return;
    }
    const { why } = delivered;
    const isLate = clock.nowMs() - line.atMs >= receiver.retryFor;
    if (delivered.type === "never" || isLate) {
      log.error({ ...said, why, tries: message.info.deliveryCount }, "notification given up");
      return message.term();
    }
    const tries = message.info.deliveryCount;
    if (tries === 1) log.warn({ ...said, why }, "receiver does not take a notification, trying again");
    const afterMs = Math.max(delivered.afterMs ?? 0, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1)));
    message.nak(afterMs);
  }

  /** What cannot be read must not keep the rest. */
  #lineIn({ subject, seq, data }: JsMsg): Audit | undefined {
    try {
      return decodeStored(AuditSchema, { subject, sequence: seq, data });
    } catch (error) {
      this.#parts.log.error({ err: error }, "a line of the audit cannot be read, nobody is told of it");
      return undefined;
    }
  }

  /** Lets what is under way finish, for a moment. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const timer = setTimeout(() => this.#grace.abort(), GRACE_MS);
    for (const { ending } of this.#running.values()) ending.abort();
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    clearTimeout(timer);
  }
}

/** Tells while this controller leads; gives the way to stop. */
export function startNotifier(parts: NotifierParts, everyMs: number): () => Promise<void> {
  const notifier = new Notifier(parts);
  const timer = setInterval(() => void notifier.look(), everyMs);
  return async () => {
    clearInterval(timer);
    await notifier.close();
  };
}

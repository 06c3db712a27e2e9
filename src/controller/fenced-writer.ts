import { setTimeout as delay } from "node:timers/promises";
import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { SerinError } from "../contract/errors.ts";
import { EXIT } from "../contract/exit-codes.ts";
import { STREAMS, SUBJECTS } from "../contract/names.ts";
import { type Lease, LeaseSchema } from "../contract/rules.ts";
import type { Clock } from "../io/clock.ts";
import { type NatsLink, readLast, WRONG_LAST_SEQUENCE } from "../io/nats.ts";
import { decodeStored } from "../io/store.ts";
import { isHeldBy } from "./lease-rules.ts";

/** This controller leads no more: whatever it was about to write is another leader's business now. */
export class DeposedError extends SerinError {
  override readonly name = "DeposedError";
  constructor(reason: string, options?: ErrorOptions) {
    super("DEPOSED", EXIT.timedOut, reason, options);
  }
}

export interface FencedWriterParts {
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly leaseMs: number;
}

/** JetStream's `wrong last sequence` where it does not say which one is right. */
const WRONG_LAST_SEQUENCE_UNKNOWN = 10_164;
const RETRY_MS = 50;

/**
 * All writes of one time in office, through one queue, in which renewals go first. Each carries the lease's sequence as the expected last sequence of
 * the lease's subject, so JetStream itself refuses a leader that was succeeded, however long it slept before it wrote
 * (the server's check names any subject of the same stream, ADR-8 and nats-server's `Nats-Expected-Last-Subject-Sequence-Subject`).
 */
export class FencedWriter {
  readonly #parts: FencedWriterParts;
  #lease: Lease;
  #sequence: number;
  #confirmedMs: number;
  readonly #waiting: (() => Promise<void>)[] = [];
  #isBusy = false;
  #over: DeposedError | undefined;

  /** `takenMs` is the monotonic time just before the lease was written. */
  constructor(parts: FencedWriterParts, taken: Readonly<{ lease: Lease; sequence: number; takenMs: number }>) {
    this.#parts = parts;
    this.#lease = taken.lease;
    this.#sequence = taken.sequence;
    this.#confirmedMs = taken.takenMs;
  }

  get term(): number {
    return this.#lease.term;
  }

  /** True when no renewal was confirmed for the length of the lease: others may lead already. */
  get isExpired(): boolean {
    return this.#parts.clock.monotonicMs() - this.#confirmedMs >= this.#parts.leaseMs;
  }

  /** Writes a state subject. Throws DeposedError when another leads, or JetStream's own refusal, like one for size. */
  write(subject: string, data: string | Uint8Array): Promise<void> {
    return this.#enqueue("last", async () => {
      if (this.#over === undefined && this.isExpired) await this.#writeLease({});
      await this.#publish(subject, () => data);
    });
  }

  /** Renews the lease: the beat that sidecars wait for. It waits for the write under way, and for no other. */
  renew(): Promise<void> {
    return this.#enqueue("first", () => this.#writeLease({}));
  }

  /** Gives the lease back, so that the next controller need not wait. */
  release(): Promise<void> {
    return this.#enqueue("last", () => this.#writeLease({ released: true }));
  }

  /** Refuses everything from now on, also what waits in the queue. */
  end(reason: string): void {
    this.#over ??= new DeposedError(reason);
  }

  #enqueue(place: "first" | "last", job: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = (): Promise<void> => job().then(resolve, reject);
      if (place === "first") this.#waiting.unshift(run);
      else this.#waiting.push(run);
      if (!this.#isBusy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await next();
    this.#isBusy = false;
  }

  async #writeLease(change: Partial<Lease>): Promise<void> {
    let sentMs = 0;
    const next = (): string => {
      sentMs = this.#parts.clock.monotonicMs();
      this.#lease = { ...this.#lease, ...change, beat: this.#lease.beat + 1, renewedAtMs: this.#parts.clock.nowMs() };
      return JSON.stringify(this.#lease);
    };
    this.#sequence = await this.#publish(SUBJECTS.lease, next);
    this.#confirmedMs = sentMs;
  }

  /**
   * Retries what may not have arrived for as long as this controller may still lead: all its writes bear repetition. A process that was late itself,
   * for want of its turn on the processor, asks the server once more, by a renewal: as long as that is taken nobody else has led.
   */
  async #publish(subject: string, data: () => string | Uint8Array): Promise<number> {
    for (;;) {
      this.#requireOffice();
      const isLastTry = this.isExpired;
      try {
        const expect = { lastSubjectSequence: this.#sequence, lastSubjectSequenceSubject: SUBJECTS.lease };
        const { seq } = await this.#parts.link.jetstream.publish(subject, data(), { expect, timeout: this.#timeoutMs });
        return seq;
      } catch (error) {
        if (!mayRetry(error)) throw error;
        if (isLastTry && !isConflict(error))
          this.#over ??= new DeposedError(`no renewal was confirmed for ${this.#parts.leaseMs} ms`, { cause: error });
        if (this.#over === undefined) await this.#confirmOffice(error);
      }
    }
  }

  /** After a conflict or a lost answer only the lease itself tells: still ours → its sequence holds, else step down. */
  async #confirmOffice(cause: unknown): Promise<void> {
    try {
      const stored = await readLast(this.#parts.link, STREAMS.state, SUBJECTS.lease, this.#timeoutMs);
      const lease = stored === undefined ? undefined : decodeStored(LeaseSchema, stored);
      if (stored === undefined || lease === undefined || !isHeldBy(lease, this.#lease)) {
        const other = lease === undefined ? "the lease is gone" : `${lease.holder} leads in term ${lease.term}`;
        this.#over ??= new DeposedError(other, { cause });
        throw this.#over;
      }
      if (stored.sequence !== this.#sequence) {
        this.#sequence = stored.sequence;
        return;
      }
    } catch (error) {
      if (error instanceof DeposedError || !mayRetry(error)) throw error;
    }
    await delay(RETRY_MS);
  }

  #requireOffice(): void {
    if (this.#over === undefined && this.#parts.link.connection.isClosed())
      this.#over = new DeposedError("the connection to NATS is closed");
    if (this.#over !== undefined) throw this.#over;
  }

  /** Short against the lease, so that a lost answer leaves time to ask again. */
  get #timeoutMs(): number {
    return Math.min(1_000, Math.max(50, this.#parts.leaseMs / 4));
  }
}

/** True for an answer that says nothing about the value itself: a conflict, none at all, or a server that is not ready. */
function mayRetry(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return isConflict(error) || error.status >= 500;
  return error instanceof Error && UNANSWERED.has(error.name);
}

const isConflict = (error: unknown): boolean =>
  error instanceof JetStreamApiError && (error.code === WRONG_LAST_SEQUENCE || error.code === WRONG_LAST_SEQUENCE_UNKNOWN);

/** The client's errors for a request that got no answer; `JetStreamNotEnabled` is its word for nobody listening. */
const UNANSWERED: ReadonlySet<string> = new Set([
  errors.TimeoutError.name,
  errors.RequestError.name,
  errors.NoRespondersError.name,
  errors.ConnectionError.name,
  errors.ClosedConnectionError.name,
  errors.DrainingConnectionError.name,
  "JetStreamNotEnabled",
]);

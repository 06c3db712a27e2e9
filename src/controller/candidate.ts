import { setTimeout as delay } from "node:timers/promises";
import { JetStreamApiError } from "@nats-io/jetstream";
import { SUBJECTS } from "../contract/names.ts";
import { LeaseSchema } from "../contract/rules.ts";
import type { Clock } from "../io/clock.ts";
import type { Logger } from "../io/log.ts";
import { type NatsLink, readState, subscribeSafely, WRONG_LAST_SEQUENCE } from "../io/nats.ts";
import { CorruptValueError, decodeStored } from "../io/store.ts";
import { FencedWriter } from "./fenced-writer.ts";
import { type InOffice, observe, type SeenLease, takenLease, type Watch, waitFor } from "./lease-rules.ts";
import type { ControllerSettings } from "./options.ts";

export interface CandidateParts {
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: ControllerSettings;
}

/** What must hear before the lease is taken: whoever learns of a new term may speak at once. */
interface Ear {
  /** Resolves when it hears. */
  open(): Promise<void>;
  close(): void;
}

/** Stands by until the lease is free, then takes it. */
export class Candidate {
  readonly #parts: CandidateParts;
  #watch: Watch | undefined;
  #lastHeld: InOffice | undefined;

  constructor(parts: CandidateParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with the writer of the term that begins, its ear open, or undefined when `signal` ends the candidacy. Throws when NATS does
   * not answer.
   */
  async elect(signal: AbortSignal, ear: Ear): Promise<FencedWriter | undefined> {
    const { link, clock, log, settings } = this.#parts;
    let wake = new AbortController();
    // A release is pushed, so that the next controller need not wait for its poll.
    const stop = subscribeSafely(
      link,
      SUBJECTS.push(SUBJECTS.lease),
      () => wake.abort(),
      (error) => log.warn({ err: error }, "push of the lease unreadable, polling"),
    );
    try {
      while (!signal.aborted) {
        this.#watch = observe(this.#watch, await this.#read(), clock.monotonicMs());
        const waitMs = waitFor(this.#watch, clock.monotonicMs(), settings.leaseMs, this.#lastHeld);
        if (waitMs === 0) {
          const writer = await this.#takeHearing(this.#watch, ear, signal);
          if (writer !== undefined) return writer;
        } else {
          await pause(Math.min(waitMs, settings.renewMs), AbortSignal.any([signal, wake.signal]));
        }
        wake = new AbortController();
      }
      return undefined;
    } finally {
      stop();
    }
  }

  /** An unreadable lease is watched like any other: whoever wrote it goes on writing, or it may be taken. */
  async #read(): Promise<SeenLease> {
    const stored = await readState(this.#parts.link, SUBJECTS.lease);
    if (stored === undefined) return { sequence: 0, lease: undefined };
    try {
      return { sequence: stored.sequence, lease: decodeStored(LeaseSchema, stored) };
    } catch (error) {
      if (!(error instanceof CorruptValueError)) throw error;
      return { sequence: stored.sequence, lease: undefined };
    }
  }

  async #takeHearing(watch: Watch, ear: Ear, signal: AbortSignal): Promise<FencedWriter | undefined> {
    let writer: FencedWriter | undefined;
    try {
      await Promise.race([ear.open(), aborted(signal)]);
      if (!signal.aborted) writer = await this.#take(watch);
    } finally {
      if (writer === undefined) ear.close();
    }
    return writer;
  }

  /** Undefined when another candidate was faster. A lost answer throws: without it nobody leads, and the lease runs out. */
  async #take(watch: Watch): Promise<FencedWriter | undefined> {
    const { link, clock, settings } = this.#parts;
    const lease = takenLease(watch, settings.id, clock.nowMs());
    const takenMs = clock.monotonicMs();
    try {
      const expect = { lastSubjectSequence: watch.sequence };
      const { seq } = await link.jetstream.publish(SUBJECTS.lease, JSON.stringify(lease), { expect });
      this.#lastHeld = { holder: lease.holder, term: lease.term };
      return new FencedWriter({ link, clock, leaseMs: settings.leaseMs }, { lease, sequence: seq, takenMs });
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return undefined;
      throw error;
    }
  }
}

/** Waits, at most until the signal; being woken is no failure. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Best effort: the lease runs out by itself when NATS does not answer. */
export async function releaseLease(writer: FencedWriter, log: Logger): Promise<void> {
  try {
    await writer.release();
  } catch (error) {
    log.warn({ err: error }, "lease not given back, the next controller waits until it runs out");
  }
}

import type { Audit } from "../contract/messages.ts";
import type { TermParts } from "./ports.ts";

/** What owes audit records to the stream: the live state of a rollout, or what is kept of the whole mesh. */
interface Owing {
  readonly rollout?: string | undefined;
  readonly outbox: readonly Audit[];
}

/**
 * Brings audit records from where they are owed to the audit stream, beside the work: a step never waits for the audit.
 * A record stays there until it is sent, so it survives a killed leader; its id keeps a repeat out.
 */
export class Outbox {
  readonly #parts: Pick<TermParts, "audit" | "log">;
  readonly #sent = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(parts: Pick<TermParts, "audit" | "log">) {
    this.#parts = parts;
  }

  /** Ids of records that stand in the audit stream. */
  get sent(): ReadonlySet<string> {
    return this.#sent;
  }

  /** Starts to send what waits in a live state; failures are tried again at the next call. */
  send({ outbox }: Owing): void {
    for (const record of outbox) {
      if (this.#sent.has(record.id) || this.#underWay.has(record.id)) continue;
      const done = this.#parts.audit.append(record).then(
        () => void this.#sent.add(record.id),
        (error: unknown) => this.#parts.log.warn({ err: error, audit: record.id, rollout: record.rollout }, "audit record not stored yet"),
      );
      this.#underWay.set(
        record.id,
        done.finally(() => void this.#underWay.delete(record.id)),
      );
    }
  }

  /**
   * Takes up what a killed leader left. JetStream drops repeats for ten minutes only, so what is older is compared with
   * the stream itself.
   */
  async resume(owing: Owing): Promise<void> {
    if (owing.outbox.length === 0) return;
    const known = await this.#parts.audit.recentIds(owing.rollout);
    for (const { id } of owing.outbox) if (known.has(id)) this.#sent.add(id);
    this.send(owing);
  }

  /** Forgets records that nobody owes any longer. */
  cleared(before: Owing, after: Owing): void {
    const waiting = new Set(after.outbox.map(({ id }) => id));
    for (const { id } of before.outbox) if (!waiting.has(id)) this.#sent.delete(id);
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
  }
}

import type { Audit, Reply } from "../contract/messages.ts";
import { SUBJECTS } from "../contract/names.ts";
import type { Notifications } from "../contract/notifications.ts";
import { type Freeze, type FreezeRecord, FreezeRecordSchema, type Policy } from "../contract/policy.ts";
import { frozen } from "../core/plan/what-holds.ts";
import { type AppliedPolicy, CorruptValueError, decodeStored } from "../io/store.ts";
import type { Outbox } from "./outbox.ts";
import type { TermParts } from "./ports.ts";

type Applied = Pick<AppliedPolicy, "sequence" | "policy" | "commandId">;

const NOBODY: Notifications = [];
const NOTHING: FreezeRecord = { format: 1, freeze: null, commands: [], outbox: [] };

/** What holds for the whole mesh as the leader knows it: the policy that was applied last, and a freeze. */
export class PolicyKeeper {
  readonly #parts: TermParts;
  readonly #outbox: Outbox;
  #applied: Applied | undefined;
  /** False until it was read, and where it cannot be. */
  #isRead = false;
  /** Another number for each policy. */
  version = 0;
  #record: FreezeRecord = NOTHING;

  constructor(parts: TermParts, outbox: Outbox) {
    this.#parts = parts;
    this.#outbox = outbox;
  }

  /** Reads what the leader before left. What cannot be read holds everything: it may have been a freeze, or a calendar. */
  async load(): Promise<void> {
    const { policy, state, clock, log } = this.#parts;
    try {
      this.#applied = await policy.last();
      this.#isRead = true;
      const stored = await state.read(SUBJECTS.freeze);
      if (stored !== undefined) this.#record = decodeStored(FreezeRecordSchema, stored);
    } catch (error) {
      if (!(error instanceof CorruptValueError)) throw error;
      const who = { name: `controller ${this.#parts.id}`, claimed: false };
      const reason = `${error.subject} cannot be read; apply the policy again, then \`serin unfreeze\``;
      this.#record = { ...NOTHING, freeze: { who, reason, sinceMs: clock.nowMs() } };
      log.error({ err: error }, "policy or freeze unreadable, nothing advances; apply the policy again, then `serin unfreeze`");
    }
    await this.#outbox.resume(this.#record);
  }

  get policy(): Policy | undefined {
    return this.#applied?.policy;
  }

  /** Place of the policy that this command brought; undefined where the last one came by another. */
  placeOf(commandId: string): number | undefined {
    return this.#applied?.commandId === commandId ? this.#applied.sequence : undefined;
  }

  /** Who is told of changes; undefined while that is not known. */
  get receivers(): Notifications | undefined {
    return this.#isRead ? (this.policy?.notifications ?? NOBODY) : undefined;
  }

  get freeze(): Freeze | undefined {
    return this.#record.freeze ?? undefined;
  }

  get isFrozen(): boolean {
    return frozen(this.freeze, this.#parts.clock.nowMs()) !== undefined;
  }

  get record(): FreezeRecord {
    return this.#record;
  }

  /** The answer that this command already got; undefined for a new one. */
  replyTo(id: string): Reply | undefined {
    return this.#record.commands.find((command) => command.id === id)?.reply;
  }

  /** Takes a policy that stands in the stream of plans. */
  hold(applied: Applied): void {
    this.#applied = applied;
    this.#isRead = true;
    this.version += 1;
  }

  /** Writes freeze, answers and owed audit together, then sends the audit. */
  async keep(record: FreezeRecord): Promise<void> {
    const before = this.#record;
    const outbox = record.outbox.filter(({ id }) => !this.#outbox.sent.has(id)).slice(-64);
    const kept = FreezeRecordSchema.parse({ ...record, commands: record.commands.slice(-32), outbox });
    await this.#parts.state.write(SUBJECTS.freeze, JSON.stringify(kept));
    this.#outbox.cleared(before, kept);
    this.#record = kept;
    this.#outbox.send(kept);
  }

  /** Writes an answer down, so that a repeat of the command gets it again, with the audit that it owes. */
  remember(reply: Reply, audit: Audit): Promise<void> {
    const { commands, outbox } = this.#record;
    return this.keep({ ...this.#record, commands: [...commands, { id: reply.id, reply }], outbox: [...outbox, audit] });
  }

  /** Sends audit that still waits, and writes down what has arrived. */
  async clearOutbox(): Promise<void> {
    this.#outbox.send(this.#record);
    if (this.#record.outbox.some(({ id }) => this.#outbox.sent.has(id))) await this.keep(this.#record);
  }
}

import { FORMAT } from "../contract/names.ts";
import type { RecordedTick } from "../contract/ticks.ts";
import type { EvidenceBatch, JudgePolicy } from "../core/judge/types.ts";
import type { Judging } from "./judging.ts";
import type { TermParts } from "./ports.ts";
import type { Seat } from "./seats.ts";

/** Ticks that are sent and not yet stored; beyond it they are lost rather than waited for. */
const MOST_WAITING = 1_000;
/** A replay can begin at each of these, also where the older ones are gone. */
const STATE_EVERY = 1_000;

type Recorded = Pick<Seat, "name" | "live"> & Readonly<{ judging: Pick<Judging, "judged"> }>;

/** What the newest message of one rollout in this term told. */
interface Told {
  readonly firstRun: number;
  readonly sequence: number;
  readonly policy: string;
  /** Batches since a message with a state. */
  readonly since: number;
}

/**
 * Keeps each judged batch in the stream of ticks, beside the work: judging never waits for it. What could not be stored shows by the
 * number that it leaves out, and the next message holds the judge's state, so that a replay goes on from there.
 */
export class TickRecorder {
  readonly #parts: Pick<TermParts, "ticks" | "term" | "log">;
  readonly #told = new Map<string, Told>();
  /** Rollouts of which something was lost since the last message with a state. */
  readonly #broken = new Set<string>();
  readonly #waiting = new Set<Promise<void>>();
  #lost = 0;

  constructor(parts: Pick<TermParts, "ticks" | "term" | "log">) {
    this.#parts = parts;
  }

  /** Sends the batch that was judged last on its way; never throws for what becomes of it. */
  record({ name, live, judging: { judged } }: Recorded): void {
    if (judged === null) return;
    const policy = JSON.stringify(judged.policy);
    const { firstRun } = live.plan;
    const known = this.#told.get(name);
    const told = known?.firstRun === firstRun ? known : undefined;
    const sequence = (told?.sequence ?? 0) + 1;
    const isFull = this.#waiting.size >= MOST_WAITING;
    const withState = told === undefined || told.since >= STATE_EVERY || this.#broken.has(name);
    const since = withState ? 1 : told.since + 1;
    this.#told.set(name, { firstRun, sequence, policy, since });
    if (isFull) return this.#lose(name);
    if (withState) this.#broken.delete(name);
    const tick: Omit<RecordedTick, "batch" | "policy"> & Readonly<{ batch: EvidenceBatch; policy?: JudgePolicy }> = {
      format: FORMAT,
      rollout: name,
      firstRun,
      term: this.#parts.term,
      sequence,
      phase: live.plan.phase,
      shareBp: live.shareBp,
      ...((withState || told.policy !== policy) && { policy: judged.policy }),
      ...(withState && { state: judged.before }),
      batch: judged.batch,
      verdict: judged.record.verdict,
      inputs: judged.record.inputs,
    };
    this.#send(name, JSON.stringify(tick));
  }

  /** Waits for what is on its way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#waiting);
  }

  #send(name: string, text: string): void {
    const sent = this.#parts.ticks.append(name, text).then(
      () => this.#recover(),
      (error: unknown) => this.#lose(name, error),
    );
    this.#waiting.add(sent);
    void sent.finally(() => this.#waiting.delete(sent));
  }

  #lose(name: string, error?: unknown): void {
    this.#broken.add(name);
    if (this.#lost === 0) this.#parts.log.warn({ rollout: name, err: error }, "judged batch not recorded, `serin replay` will miss it");
    this.#lost += 1;
  }

  /** Said once for all that was lost meanwhile. */
  #recover(): void {
    if (this.#lost > 0) this.#parts.log.warn({ lost: this.#lost }, "judged batches are recorded again");
    this.#lost = 0;
  }
}

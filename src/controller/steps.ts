import type { z } from "zod";
import { type LiveState, LiveStateSchema } from "../contract/live.ts";
import type { Reply, Who } from "../contract/messages.ts";
import { SUBJECTS } from "../contract/names.ts";
import { type Plan, planWith } from "../core/plan/plan.ts";
import type { PlanEvent } from "../core/plan/types.ts";
import { isEnded } from "./derive-manifest.ts";
import { recordOf } from "./judging.ts";
import { type Change, isNothing, liveAfter, type StepContext, withoutSent, withReply } from "./live-rules.ts";
import type { Outbox } from "./outbox.ts";
import type { TermParts } from "./ports.ts";
import type { Publisher } from "./publisher.ts";
import type { Seat } from "./seats.ts";

/** The judge's records of all rollouts take one write in so much time: a record that is older costs its successor a count, and no evidence. */
const WRITE_MS = 5;

/** Who causes a step, what led to it, and the answer that goes into the same write. */
export interface Cause {
  readonly who: Who;
  readonly detail?: z.core.util.JSONType;
  readonly reply?: (after: LiveState) => Reply;
}

/**
 * Carries steps out, in the one order that survives a crash between any two writes:
 * live state with the audit records it owes → blobs → manifest → audit. Whoever leads next re-derives the manifest from
 * live state and sends the audit again, so nothing before the first write happened and everything after it will.
 */
export class Steps {
  readonly seats = new Map<string, Seat>();
  readonly publisher: Publisher;
  readonly outbox: Outbox;
  readonly #parts: TermParts;
  readonly #plan: Plan;
  readonly #postLater: (job: () => Promise<void>) => void;
  /** Rollouts with steps that are written and not published yet. */
  readonly #unpublished = new Set<Seat>();
  #records = 0;

  constructor(parts: TermParts, tools: Readonly<{ publisher: Publisher; outbox: Outbox; postLater(job: () => Promise<void>): void }>) {
    this.#parts = parts;
    this.#postLater = tools.postLater;
    this.#plan = planWith(parts.settings.deadlines);
    this.publisher = tools.publisher;
    this.outbox = tools.outbox;
  }

  /** Who stands in the audit for what the controller does by itself. */
  get self(): Who {
    return { name: `controller ${this.#parts.id}`, claimed: false };
  }

  /** Asks the plan and carries out its answer; returns the refusal, if it is one. */
  async deliver(seat: Seat, event: PlanEvent, cause: Cause): Promise<string | undefined> {
    const step = this.#plan(seat.rollout, seat.live.plan, event, this.#parts.clock.nowMs());
    if (!step.ok) return step.refusal;
    if (isNothing(seat.live, step) && cause.reply === undefined) return undefined;
    await this.take(seat, step, cause);
    return undefined;
  }

  /**
   * Writes what a step leads to, then publishes it: a way back and what somebody waits for at once, anything else with the steps of other
   * rollouts that are due in the same moment. A new seat counts from the first write on.
   */
  async take(seat: Seat, change: Change, cause: Cause): Promise<void> {
    const before = seat.live.plan;
    const isNew = this.seats.get(seat.name) !== seat;
    const after = liveAfter(seat.live, change, this.#context(cause));
    await this.#write(seat, cause.reply === undefined ? after : withReply(after, cause.reply(after)));
    this.seats.set(seat.name, seat);
    const { phase, run } = seat.live.plan;
    if (isNew || phase !== before.phase || run !== before.run) this.#say(seat, change);
    this.#unpublished.add(seat);
    const isBack = change.effects.some((effect) => effect.type === "serve" && effect.off);
    if (isBack || cause.reply !== undefined || isNew) await this.sync();
    else if (this.#unpublished.size === 1) this.#postLater(() => this.sync());
  }

  /** Stores an answer that changes nothing else, so that a repeat of the command gets it again. */
  storeReply(seat: Seat, reply: Reply): Promise<void> {
    return this.#write(seat, withReply(seat.live, reply));
  }

  /** Publishes the rule set of all rollouts, when it differs from the one in force, and then sends the audit of the steps that led there. */
  async sync(): Promise<void> {
    const steps = [...this.#unpublished];
    await this.publisher.sync([...this.seats.values()]);
    for (const seat of steps) {
      this.#unpublished.delete(seat);
      this.outbox.send(seat.live);
    }
  }

  /** Sends audit records that still wait, and writes down which have arrived. */
  async clearOutbox(seat: Seat): Promise<void> {
    this.outbox.send(seat.live);
    if (seat.live.outbox.some(({ id }) => this.outbox.sent.has(id))) await this.#write(seat, seat.live);
  }

  /** Writes what the judge knows: at once when `isUrgent`, else as often as the options say. */
  async writeJudge(seat: Seat, isUrgent: boolean): Promise<void> {
    const { clock, settings, state } = this.#parts;
    const nowMs = clock.monotonicMs();
    const everyMs = Math.max(settings.judgeWriteMs, this.seats.size * WRITE_MS);
    if (!seat.isJudgeDirty || (!isUrgent && nowMs - seat.judgeWrittenMs < everyMs)) return;
    const { judging, text } = recordOf(seat.name, seat.judging, seat.live.plan.run);
    seat.judging = judging;
    seat.isJudgeDirty = false;
    seat.judgeWrittenMs = nowMs;
    await state.write(SUBJECTS.judge(seat.name), text);
  }

  /** Sidecars obeyed an operator's order to switch off already; here the plan follows, and says who gave it. */
  async obeyKill(seat: Seat): Promise<void> {
    const order = this.#parts.killed(seat.name);
    if (order === undefined || isEnded(seat.live.plan.phase) || seat.live.plan.phase === "rollingBack") return;
    const { who, reason } = order;
    const why = `switched off by ${who}${reason === undefined ? "" : `: ${reason}`}; it stays off until \`serin kill --lift\``;
    await this.deliver(seat, { type: "abort", reason: why }, { who: { name: who, claimed: false } });
  }

  /** Audit records of something that happened to a rollout beside its plan. */
  async note(seat: Seat, entry: Readonly<{ action: string; reason: string }>, who: Who): Promise<void> {
    await this.take(seat, { state: seat.live.plan, effects: [{ type: "audit", ...entry }] }, { who });
  }

  async #write(seat: Seat, live: LiveState): Promise<void> {
    const { live: kept, lost } = withoutSent(live, this.outbox.sent);
    if (lost > 0) this.#parts.log.error({ rollout: seat.name, lost }, "audit stream away for too long, oldest records given up");
    const valid = LiveStateSchema.parse(kept); // What does not parse would lock out the next leader.
    await this.#parts.state.write(SUBJECTS.live(seat.name), JSON.stringify(valid));
    this.outbox.cleared(seat.live, valid);
    seat.live = valid;
  }

  #context({ who, detail }: Cause): StepContext {
    const { clock, term } = this.#parts;
    const auditId = (): string => {
      this.#records += 1;
      return `${term}-${clock.nowMs()}-${this.#records}`;
    };
    return { nowMs: clock.nowMs(), who, next: this.publisher.next, auditId, ...(detail === undefined ? {} : { detail }) };
  }

  #say({ name, live }: Seat, { effects }: Change): void {
    const reason = effects.flatMap((effect) => (effect.type === "audit" ? [effect.reason] : [])).join("; ");
    const { phase, run } = live.plan;
    const level = phase === "rollingBack" || phase === "rolledBack" ? "warn" : "info";
    this.#parts.log[level]({ rollout: name, phase, run, shareBp: live.shareBp, reason }, "rollout moved");
  }
}

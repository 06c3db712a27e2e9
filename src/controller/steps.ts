import type * as z from "zod";
import { stagesOf } from "../contract/course.ts";
import type { FailingUsers } from "../contract/failing-users.ts";
import { type LiveState, LiveStateSchema, type PlanState } from "../contract/live.ts";
import type { Reply, Verb, Who } from "../contract/messages.ts";
import { SUBJECTS } from "../contract/names.ts";
import { costOf } from "../core/plan/blast-radius.ts";
import { isEnded } from "../core/plan/ended.ts";
import { type Plan, planWith } from "../core/plan/plan.ts";
import type { AnswerEvent, PlanInput, PlanStep } from "../core/plan/types.ts";
import type { OnSeen } from "./checks/handover-keeper.ts";
import { recordOf, startJudging } from "./judging.ts";
import { type Change, isNothing, liveAfter, type StepContext, withoutSent, withReply } from "./live-rules.ts";
import type { Outbox } from "./outbox.ts";
import type { PolicyKeeper } from "./policy-keeper.ts";
import type { TermParts } from "./ports.ts";
import type { Publisher } from "./publisher.ts";
import { Relations } from "./relations.ts";
import { readJudging, type Seat } from "./seats.ts";
import { withReport } from "./test-report.ts";
import { WaysBack } from "./ways-back.ts";

/** The judge's records of all rollouts take one write in so much time: a record that is older costs its successor a count, and no evidence. */
const WRITE_MS = 20;

/** Who causes a step, what led to it, and the answer that goes into the same write. */
export interface Cause {
  readonly who: Who;
  readonly detail?: z.core.util.JSONType;
  /** What a person asked for, and why. */
  readonly asked?: Readonly<{ verb: Verb; reason?: string | undefined }>;
  readonly reply?: (after: LiveState) => Reply;
}

interface Tools {
  readonly publisher: Publisher;
  readonly outbox: Outbox;
  readonly policy: PolicyKeeper;
  /** Hears where a rollout stood that is written to stand elsewhere. */
  moved(seat: Seat, before: PlanState): void;
  /** Failing users of an attempt; undefined before anything is known. */
  users(live: LiveState): FailingUsers | undefined;
  postLater(job: () => Promise<void>): void;
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
  /** What the rollouts are to each other and to the calendar. */
  readonly relations: Relations;
  readonly waysBack: WaysBack;
  readonly #parts: TermParts;
  readonly #tools: Tools;
  readonly #plan: Plan;
  /** Rollouts with steps that are written and not published yet. */
  readonly #unpublished = new Set<Seat>();
  /** One publication for all of them is on its way. */
  #isSyncPosted = false;
  #records = 0;

  constructor(parts: TermParts, tools: Tools) {
    this.#parts = parts;
    this.#tools = tools;
    this.#plan = planWith(parts.settings.deadlines);
    this.publisher = tools.publisher;
    this.outbox = tools.outbox;
    this.relations = new Relations(tools.policy, this.seats, parts);
    this.waysBack = new WaysBack(this);
  }

  /** Who stands in the audit for what the controller does by itself. */
  get self(): Who {
    return { name: `controller ${this.#parts.id}`, claimed: false };
  }

  get log(): TermParts["log"] {
    return this.#parts.log;
  }

  /** What the plan makes of an event now. */
  ask(seat: Seat, event: PlanInput): PlanStep {
    const { clock, operatorKeys, settings } = this.#parts;
    const nowMs = clock.nowMs();
    const cost = costOf(seat.judging.tally.totals, this.#tools.users(seat.live));
    const mustVouch = (operatorKeys?.size ?? 0) > 0 || settings.tokens !== undefined;
    const { plan, shareBp, stops } = seat.live;
    const served = { shareBp, isStopped: stops !== undefined, unready: this.relations.alarm(seat) };
    return this.#plan(seat.rollout, plan, event, { nowMs, holds: this.relations.holds(seat, event, nowMs), mustVouch, cost, ...served });
  }

  /** Asks the plan and carries out its answer; returns the refusal, if it is one. */
  async deliver(seat: Seat, event: PlanInput, cause: Cause): Promise<string | undefined> {
    await readJudging(this.#parts, seat);
    const { phase } = seat.live.plan;
    const step = this.ask(seat, event);
    if (!step.ok) return step.refusal;
    if (isNothing(seat.live, step) && cause.reply === undefined) return undefined;
    try {
      await this.take(seat, withReport(seat, step), cause);
    } finally {
      // Also where it is written and could not be published yet.
      const { plan } = seat.live;
      if (phase !== "rollingBack" && plan.phase === "rollingBack") await this.waysBack.takeAlong(seat, plan.reason);
    }
    return undefined;
  }

  /** What a gate's webhook says counts for the run that it was asked about. */
  async answer(name: string, run: number, answer: Omit<AnswerEvent, "type">): Promise<void> {
    const seat = this.seats.get(name);
    if (seat?.live.plan.run === run) await this.deliver(seat, { type: "answer", ...answer }, { who: this.self });
  }

  /**
   * Writes what a step leads to, then publishes it: a way back and what somebody waits for at once, anything else with the steps of other
   * rollouts that are due in the same moment. A new seat counts from the first write on.
   */
  async take(seat: Seat, change: Change, cause: Cause): Promise<void> {
    const before = seat.live.plan;
    const isNew = this.seats.get(seat.name) !== seat;
    const isMove = change.state.phase !== before.phase || change.state.run !== before.run;
    // What the judge knew when it moved, also where it did not ask for it.
    const detail = cause.detail ?? (isMove ? (seat.judging.verdict ?? undefined) : undefined);
    const after = liveAfter(seat.live, change, this.#context(seat, { ...cause, ...(detail !== undefined && { detail }) }));
    await this.#write(seat, cause.reply === undefined ? after : withReply(after, cause.reply(after)));
    this.seats.set(seat.name, seat);
    this.#tools.moved(seat, before);
    // The plan says that what was seen so far is about another group too: one that went back.
    const { firstRun } = seat.live.plan;
    if (firstRun !== before.firstRun)
      Object.assign(seat, { judging: startJudging(firstRun, this.#parts.clock.nowMs()), isJudgeRead: true });
    if (isNew || isMove || isOverdue(change)) this.#say(seat, change);
    this.#unpublished.add(seat);
    const isBack = change.effects.some((effect) => effect.type === "serve" && effect.advances !== true);
    if (isBack || cause.reply !== undefined || isNew) await this.sync();
    else this.#syncLater();
  }

  #syncLater(): void {
    if (this.#isSyncPosted) return;
    this.#isSyncPosted = true;
    this.#tools.postLater(() => {
      this.#isSyncPosted = false;
      return this.sync();
    });
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
    const { plan } = seat.live;
    const isHome = isEnded(plan.phase) || (plan.phase === "rollingBack" && plan.left === undefined);
    if (order === undefined || isHome) return;
    const by = { name: order.who, claimed: false };
    const why = `switched off by ${by.name}${order.reason === undefined ? "" : `: ${order.reason}`}; it stays off until \`serin kill --lift\``;
    await this.deliver(seat, { type: "abort", who: by, reason: why, now: true }, { who: by });
  }

  /** Hands over what is proven; what is seen before is written down, for people. */
  async seeStable(name: string, { run, isProven, text }: Parameters<OnSeen>[1]): Promise<void> {
    const seat = this.seats.get(name);
    if (seat?.live.plan.phase !== "promoted" || seat.live.plan.run !== run) return;
    if (isProven) await this.deliver(seat, { type: "handover", who: this.self, reason: text }, { who: this.self });
    else if (seat.live.seen !== text) await this.#write(seat, { ...seat.live, seen: text });
  }

  /** Audit records of something that happened to a rollout beside its plan. */
  async note(seat: Seat, entry: Readonly<{ action: string; reason: string }>, who: Who, reply?: Reply): Promise<void> {
    const cause = { who, ...(reply === undefined ? {} : { reply: () => reply }) };
    await this.take(seat, { state: seat.live.plan, effects: [{ type: "audit", ...entry }] }, cause);
  }

  async #write(seat: Seat, live: LiveState): Promise<void> {
    const { live: kept, lost } = withoutSent(live, this.outbox.sent);
    if (lost > 0) this.log.error({ rollout: seat.name, lost }, "audit stream away for too long, oldest records given up");
    const valid = LiveStateSchema.parse(kept); // What does not parse would lock out the next leader.
    await this.#parts.state.write(SUBJECTS.live(seat.name), JSON.stringify(valid));
    this.outbox.cleared(seat.live, valid);
    seat.live = valid;
  }

  #context({ rollout }: Seat, { who, detail, asked }: Cause): StepContext {
    const { clock, term } = this.#parts;
    const auditId = (): string => {
      this.#records += 1;
      return `${term}-${clock.nowMs()}-${this.#records}`;
    };
    const nowMs = clock.nowMs();
    return {
      nowMs,
      who,
      stages: stagesOf(rollout.strategy).length,
      next: this.publisher.next,
      auditId,
      ...(detail === undefined ? {} : { detail }),
      ...(asked && { asked: { ...asked, who, atMs: nowMs } }),
    };
  }

  #say({ name, live }: Seat, { effects }: Change): void {
    const reason = effects.flatMap((effect) => (effect.type === "audit" ? [effect.reason] : [])).join("; ");
    const { phase, run } = live.plan;
    const isBad = phase === "rollingBack" || phase === "rolledBack" || isOverdue({ effects });
    this.log[isBad ? "warn" : "info"]({ rollout: name, phase, run, shareBp: live.shareBp, reason }, "rollout moved");
  }
}

/** Nothing moves, and yet somebody must hear of it. */
const isOverdue = ({ effects }: Pick<Change, "effects">): boolean =>
  effects.some((effect) => effect.type === "audit" && effect.action === "overdue");

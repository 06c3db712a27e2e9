import { isDeepStrictEqual } from "node:util";
import { courseOf } from "../contract/course.ts";
import type { LiveState } from "../contract/live.ts";
import type { Command, Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import type { Rollout } from "../contract/rollout.ts";
import type { UsedTemplate } from "../contract/templates.ts";
import { queuePlan } from "../core/plan/queue.ts";
import { startPlan } from "../core/plan/start.ts";
import type { Plan } from "../io/store.ts";
import { rivalText } from "./apply-rules.ts";
import { liveRuleOf, liveRulesOf, MAX_LIVE_BYTES } from "./derive-manifest.ts";
import { type Change, freshLive } from "./live-rules.ts";
import type { TermParts } from "./ports.ts";
import { replyWith, standing } from "./replies.ts";
import { newSeat, type Seat } from "./seats.ts";
import type { Cause, Steps } from "./steps.ts";

/** A plan to store, with the template that it uses. */
type Stored = Command & Readonly<{ template?: UsedTemplate | undefined }>;

type Obeyed = Readonly<{ rollout: Rollout; sequence: number; change: Change }>;

/** Begins attempts: with a plan that was applied, with the same one again, and with the one before. */
export class Attempts {
  readonly #parts: TermParts;
  readonly #steps: Steps;

  constructor(parts: TermParts, steps: Steps) {
    this.#parts = parts;
    this.#steps = steps;
  }

  /** The first run that an attempt may have: evidence of one is never mistaken for that of another. */
  async nextRun(name: string): Promise<number> {
    // Nor with that of one that was deleted: sidecars may still tell of it.
    const last = this.#steps.seats.get(name)?.live.plan.run ?? (await this.#parts.audit.last(name))?.run ?? 0;
    return Math.max(last, this.#steps.publisher.runInForce(name)) + 1;
  }

  /** Why there is no room for a rollout among those that there are; undefined where there is. */
  crowdText(rollout: Rollout): string | undefined {
    const { name } = rollout;
    const nowMs = this.#parts.clock.nowMs();
    const added = { rollout, live: freshLive(name, 0, startPlan(nowMs, 1).state, nowMs) };
    const others = [...this.#steps.seats.values()].filter((seat) => seat.name !== name);
    // With all of them, also those that need no place there: mostly there is room, and which ones those are takes longer to find.
    const most = Object.fromEntries([...others, added].map((one) => [one.live.rollout, liveRuleOf(one.rollout, one.live)]));
    if (JSON.stringify(most).length <= MAX_LIVE_BYTES) return undefined;
    const size = JSON.stringify(liveRulesOf([...others, added])).length;
    if (size <= MAX_LIVE_BYTES) return undefined;
    return `with ${name} the live part of the rules would take ${size} bytes, and ${MAX_LIVE_BYTES} are allowed; hand over or end others first`;
  }

  /** Stores a plan. It goes first: if the leader dies before live state obeys it, the next one finds and begins it. */
  async store({ id, document, who, reason, template }: Stored, name: string, isUndo = false): Promise<number> {
    const { plans, clock } = this.#parts;
    const last = await plans.last(name);
    if (last?.commandId === id) return last.sequence; // Stored before, but its answer was lost.
    const plan = {
      format: FORMAT,
      document,
      ...(template === undefined ? {} : { template }),
      who,
      atMs: clock.nowMs(),
      ...(reason === undefined ? {} : { reason }),
      ...(isUndo && ({ atOnce: true } as const)),
      commandId: id,
    } as const;
    return plans.append(name, plan, last?.sequence ?? 0);
  }

  /** Begins an attempt with a stored plan, or puts it in the queue. */
  async begin({ rollout, sequence, who, reason, atOnce, commandId }: Omit<Plan, "document" | "atMs" | "template">): Promise<Seat> {
    const verb = atOnce === true ? "undo" : "apply";
    const nowMs = this.#parts.clock.nowMs();
    const run = await this.nextRun(rollout.name);
    const turn = this.#steps.relations.turn(rollout, nowMs, atOnce === true);
    const { state, effects } = turn === undefined ? startPlan(nowMs, run, atOnce) : queuePlan(nowMs, run, turn.reason, atOnce);
    const applied = { type: "audit", action: verb, reason: reason ?? `plan ${sequence}` } as const;
    const place = turn === undefined ? "" : `: ${turn.reason}`;
    const reply = (after: LiveState): Reply =>
      replyWith({ id: commandId }, { result: "done", message: `${verb}: ${standing(after)}${place}` }, after);
    const change = { state, effects: [applied, ...effects] };
    return this.#start({ rollout, sequence, change }, { who, asked: { verb, reason }, reply });
  }

  /** Another attempt with the plan that a rollout has; the refusal, where it cannot begin. */
  async retry(seat: Seat, { who, reason }: Command, reply: (after: LiveState) => Reply): Promise<string | undefined> {
    const change = this.#steps.ask(seat, { type: "retry", who, reason });
    const refusal = change.ok ? this.#hindrance(seat.rollout, false) : change.refusal;
    if (!change.ok || refusal !== undefined) return refusal;
    await this.#start(
      { rollout: seat.rollout, sequence: seat.live.planSequence, change },
      { who, asked: { verb: "retry", reason }, reply },
    );
    return undefined;
  }

  /** After a hand-over back to the plan before, at once; the refusal where there is none, or where it cannot begin. */
  async undo(seat: Seat, command: Command): Promise<string | undefined> {
    const { name, live } = seat;
    const plans = await this.#parts.plans.before(name, live.planSequence);
    const before = plans.findLast(({ rollout }) => !isDeepStrictEqual(rollout, seat.rollout));
    const { who } = command;
    if (before === undefined) {
      const step = this.#steps.ask(seat, { type: "undo", who, reason: command.reason });
      return step.ok ? undefined : step.refusal;
    }
    const refusal = undecided(before.rollout) ?? this.#hindrance(before.rollout, true);
    if (refusal !== undefined) return refusal;
    const reason = `${command.reason === undefined ? "" : `${command.reason}; `}back from plan ${live.planSequence} to plan ${before.sequence}`;
    const sequence = await this.store({ ...command, document: before.document, template: before.template, reason }, name, true);
    await this.begin({ rollout: before.rollout, sequence, who, reason, atOnce: true, commandId: command.id });
    return undefined;
  }

  #hindrance(rollout: Rollout, isBack: boolean): string | undefined {
    const order = this.#parts.killed(rollout.name);
    if (order !== undefined) return `${rollout.name} is switched off by ${order.who}; lift that first by \`serin kill --lift\``;
    const turn = this.#steps.relations.turn(rollout, this.#parts.clock.nowMs(), isBack);
    if (turn?.kind === "freeze") return `${rollout.name} begins nothing while all is ${turn.reason}; try again after that`;
    if (turn !== undefined) return `${rollout.name} would be ${turn.reason}; end what is before it first`;
    return rivalText(rollout, [...this.#steps.seats.values()]) ?? this.crowdText(rollout);
  }

  /** Its judge begins anew; answers and audit records that still wait go on. */
  async #start({ rollout, sequence, change }: Obeyed, cause: Cause): Promise<Seat> {
    const nowMs = this.#parts.clock.nowMs();
    const { commands, outbox } = this.#steps.seats.get(rollout.name)?.live ?? { commands: [], outbox: [] };
    const seat = newSeat(rollout, { ...freshLive(rollout.name, sequence, change.state, nowMs), commands, outbox }, nowMs);
    await this.#steps.take(seat, change, cause);
    seat.isJudgeDirty = true;
    await this.#steps.writeJudge(seat, true);
    return seat;
  }
}

/** Why nobody knows which variant of a test everyone had; undefined where there was one alone. */
function undecided({ name, strategy }: Rollout): string | undefined {
  const tested = Object.keys(courseOf(strategy).trial.shares);
  if (tested.length < 2) return undefined;
  return `the plan before was a test of ${tested.join(" and ")}, of which everyone may have had either; apply ${name} with the version that you want`;
}

import type { LiveState } from "../contract/live.ts";
import type { Command, Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import type { Rollout } from "../contract/rollout.ts";
import { queuePlan, startPlan } from "../core/plan/queue.ts";
import { frozen } from "../core/plan/what-holds.ts";
import { type Applied, judgeApply } from "./apply-rules.ts";
import { isEnded, liveRulesOf, MAX_LIVE_BYTES } from "./derive-manifest.ts";
import { freshLive, replyTo } from "./live-rules.ts";
import type { PolicyKeeper } from "./policy-keeper.ts";
import type { TermParts } from "./ports.ts";
import { defaultsOf, withDefaults } from "./relation-rules.ts";
import { replyWith, standing } from "./replies.ts";
import { type Found, newSeat, type Seat, type Waiting } from "./seats.ts";
import type { SegmentKeeper } from "./segments.ts";
import type { Steps } from "./steps.ts";

interface ApplyTools {
  readonly steps: Steps;
  readonly segments: SegmentKeeper;
  readonly policy: PolicyKeeper;
}

/** Takes rollouts in: what is applied begins, waits, or is refused. */
export class ApplyCommands {
  readonly #parts: TermParts;
  readonly #steps: Steps;
  readonly #segments: SegmentKeeper;
  readonly #policy: PolicyKeeper;

  constructor(parts: TermParts, { steps, segments, policy }: ApplyTools) {
    this.#parts = parts;
    this.#steps = steps;
    this.#segments = segments;
    this.#policy = policy;
  }

  async apply(command: Command): Promise<Reply> {
    const seat = this.#steps.seats.get(command.rollout ?? "");
    const document = withDefaults(command.document, this.#policy.policy?.defaults);
    const applied = this.#judge(document, command.rollout);
    const { dryRun } = command;
    // What runs keeps what it has: what a newer policy says does not make the same file another document.
    if (applied.type !== "unchanged" && seat !== undefined && !isEnded(seat.live.plan.phase)) {
      const same = this.#judge(withDefaults(command.document, defaultsOf(seat.rollout)), command.rollout);
      if (same.type === "unchanged") return this.#answer(command, same, seat);
    }
    if (applied.type === "wait" && seat !== undefined && dryRun !== true) return this.#wait({ ...command, document }, applied, seat);
    if (applied.type !== "start") return this.#answer(command, applied, seat);
    const { rollout } = applied;
    const run = this.#nextRun(rollout.name);
    const size = this.#liveBytesWith(rollout);
    if (size > MAX_LIVE_BYTES) {
      const message = `with ${rollout.name} the live part of the rules would take ${size} bytes, and ${MAX_LIVE_BYTES} are allowed; hand over or end others first`;
      return replyWith(command, { result: "refused", message });
    }
    if (dryRun === true) return replyWith(command, { result: "done", message: `${rollout.name} is valid and would begin run ${run}` });
    const sequence = await this.#storePlan({ ...command, document }, rollout.name);
    const { who, reason } = command;
    const begun = await this.begin({ rollout, sequence, who, reason, commandId: command.id });
    this.#parts.log.info({ rollout: begun.name, who: who.name, sequence, manifest: this.#steps.publisher.current }, "plan applied");
    return replyTo(begun.live, command.id) ?? replyWith(command, { result: "done", message: standing(begun.live) }, begun.live);
  }

  #judge(document: unknown, name: string | undefined): Applied {
    const calendars = Object.keys(this.#policy.policy?.calendars ?? {});
    return judgeApply(document, name, [...this.#steps.seats.values()], { segments: this.#segments.names, calendars });
  }

  async #answer(command: Command, applied: Exclude<Applied, { type: "start" }>, seat: Seat | undefined): Promise<Reply> {
    const result = applied.type === "wait" ? "done" : applied.type;
    const reply = replyWith(command, { result, message: applied.message }, seat?.live);
    if (seat !== undefined && command.dryRun !== true && applied.type !== "invalid") await this.#steps.storeReply(seat, reply);
    return reply;
  }

  /** The plan goes first: if the leader dies before live state obeys it, the next one finds and begins it. */
  async #storePlan({ id, document, who, reason }: Command, name: string): Promise<number> {
    const { plans, clock } = this.#parts;
    const last = await plans.last(name);
    if (last?.commandId === id) return last.sequence; // Stored before, but its answer was lost.
    const plan = {
      format: FORMAT,
      document,
      who,
      atMs: clock.nowMs(),
      ...(reason === undefined ? {} : { reason }),
      commandId: id,
    } as const;
    return plans.append(name, plan, last?.sequence ?? 0);
  }

  /** The newest version waits; one that waited before it gives its place up. */
  async #wait(command: Command, applied: Extract<Applied, { type: "wait" }>, seat: Seat): Promise<Reply> {
    const { who, reason, id } = command;
    const sequence = await this.#storePlan(command, seat.name);
    seat.next = { rollout: applied.rollout, document: command.document, sequence, who, reason, commandId: id };
    const reply = replyWith(command, { result: "done", message: applied.message }, seat.live);
    await this.#steps.note(seat, { action: "waits", reason: `plan ${sequence}${reason === undefined ? "" : `: ${reason}`}` }, who, reply);
    if (applied.replaces) await this.#steps.deliver(seat, { type: "abort", who, reason: `replaced by plan ${sequence}` }, { who });
    return reply;
  }

  /** Takes up plans that no live state obeys: the leader before died, or they wait. */
  async takeUp(unobeyed: Found["unobeyed"]): Promise<void> {
    for (const { name, plan } of unobeyed) {
      const { sequence } = plan;
      const applied = this.#judge(plan.document, name);
      const seat = this.#steps.seats.get(name);
      if (applied.type === "start") {
        this.#parts.log.info({ rollout: name, sequence }, "stored plan was not begun, beginning it");
        await this.begin(plan);
      } else if (applied.type === "wait" && seat !== undefined) {
        seat.next = plan;
        const { who } = plan;
        if (applied.replaces) await this.#steps.deliver(seat, { type: "abort", who, reason: `replaced by plan ${sequence}` }, { who });
      } else {
        this.#parts.log.warn({ rollout: name, sequence, why: applied.message }, "stored plan cannot begin, apply it again");
      }
    }
  }

  /** Begins the version that waits once the one before has ended; in no freeze. */
  async beginNext(seat: Seat): Promise<void> {
    const { next, name } = seat;
    if (next === undefined || !isEnded(seat.live.plan.phase)) return;
    if (frozen(this.#policy.freeze, this.#parts.clock.nowMs()) !== undefined) return;
    const applied = this.#judge(next.document, name);
    if (applied.type === "start") {
      await this.begin(next);
      return;
    }
    const why = applied.message;
    seat.next = undefined;
    this.#parts.log.warn({ rollout: name, sequence: next.sequence, why }, "the version that waited cannot begin, apply it again");
    await this.#steps.note(seat, { action: "refused", reason: `plan ${next.sequence} cannot begin: ${why}` }, this.#steps.self);
  }

  /** Begins an attempt with a stored plan, or puts it in the queue: its runs go on from the last one's, so no evidence is ever mistaken. */
  async begin(plan: Omit<Waiting, "document">): Promise<Seat> {
    const { rollout, sequence, who, reason, commandId } = plan;
    const before = this.#steps.seats.get(rollout.name);
    const nowMs = this.#parts.clock.nowMs();
    const turn = this.#steps.relations.turn(rollout, nowMs);
    const run = this.#nextRun(rollout.name);
    const change = turn === undefined ? startPlan(nowMs, run) : queuePlan(nowMs, run, turn.reason);
    const { commands, outbox } = before?.live ?? { commands: [], outbox: [] };
    const seat = newSeat(rollout, { ...freshLive(rollout.name, sequence, change.state, nowMs), commands, outbox }, nowMs);
    const applied = { type: "audit", action: "apply", reason: reason ?? `plan ${sequence}` } as const;
    const reply = (after: LiveState): Reply => {
      const place = turn === undefined ? "" : `: ${turn.reason}`;
      return replyWith({ id: commandId }, { result: "done", message: `apply: ${standing(after)}${place}` }, after);
    };
    await this.#steps.take(seat, { state: change.state, effects: [applied, ...change.effects] }, { who, reply });
    seat.isJudgeDirty = true;
    await this.#steps.writeJudge(seat, true);
    return seat;
  }

  #nextRun(name: string): number {
    const last = this.#steps.seats.get(name)?.live.plan.run ?? 0;
    return Math.max(last, this.#steps.publisher.runInForce(name)) + 1;
  }

  #liveBytesWith(rollout: Rollout): number {
    const nowMs = this.#parts.clock.nowMs();
    const added = { rollout, live: freshLive(rollout.name, 0, startPlan(nowMs, 1).state, nowMs) };
    const others = [...this.#steps.seats.values()].filter(({ name }) => name !== rollout.name);
    return JSON.stringify(liveRulesOf([...others, added])).length;
  }
}

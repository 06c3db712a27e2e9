import type { LiveState } from "../contract/live.ts";
import { type Command, CommandSchema, type Reply, type Verb } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import type { Rollout } from "../contract/rollout.ts";
import { type UsedTemplate, withTemplate } from "../contract/templates.ts";
import { startPlan } from "../core/plan/plan.ts";
import type { PlanEvent } from "../core/plan/types.ts";
import type { Plan } from "../io/store.ts";
import { judgeApply } from "./apply-rules.ts";
import { liveRulesOf, MAX_LIVE_BYTES } from "./derive-manifest.ts";
import { DeposedError } from "./fenced-writer.ts";
import { idOf } from "./incoming.ts";
import { freshLive, replyTo } from "./live-rules.ts";
import type { TermParts } from "./ports.ts";
import { newSeat, type Seat } from "./seats.ts";
import { isSegment, SegmentCommands } from "./segment-commands.ts";
import type { SegmentKeeper } from "./segments.ts";
import type { Steps } from "./steps.ts";
import { isTemplate, TemplateCommands } from "./template-commands.ts";

type Answer = Readonly<Pick<Reply, "result" | "message">>;

interface CommandTools {
  readonly steps: Steps;
  readonly segments: SegmentKeeper;
}

type Move = Exclude<Verb, "apply" | "forget" | "store">;

/** Carries out what operators ask. An answer is given only when what it says is durable and, where rules changed, published. */
export class Commands {
  readonly #parts: TermParts;
  readonly #steps: Steps;
  readonly #known: SegmentKeeper;
  readonly #segments: SegmentCommands;
  readonly #templates: TemplateCommands;
  /** Takes a sidecar out of the fleet; false when it was not known. */
  readonly #forget: (sidecar: string) => Promise<boolean>;

  constructor(parts: TermParts, { steps, segments }: CommandTools, forget: (sidecar: string) => Promise<boolean>) {
    this.#parts = parts;
    this.#steps = steps;
    this.#known = segments;
    this.#segments = new SegmentCommands(parts, steps, segments);
    this.#templates = new TemplateCommands(parts);
    this.#forget = forget;
  }

  /**
   * Answers one message of the command subject. A failure beside leadership is the operator's to know; when leadership is gone no answer is
   * given, and the sender asks the next leader.
   */
  async answer(data: Uint8Array): Promise<Reply> {
    try {
      return await this.#carryOut(data);
    } catch (error) {
      if (error instanceof DeposedError) throw error;
      this.#parts.log.error({ err: error }, "command failed");
      const message = error instanceof Error ? error.message : String(error);
      return { format: FORMAT, id: idOf(data), result: "failed", message: `${message}; send the same command again to learn how it ended` };
    }
  }

  async #carryOut(data: Uint8Array): Promise<Reply> {
    const parsed = CommandSchema.safeParse(parseJson(data));
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".") || "command"}: ${message}`);
      return { format: FORMAT, id: "", result: "invalid", message: faults.join("\n") };
    }
    // Nothing vouches for the name yet, whatever the sender says of itself.
    const command = { ...parsed.data, who: { ...parsed.data.who, claimed: true } };
    const { rollout: name, verb } = command;
    const seat = name === undefined ? undefined : this.#steps.seats.get(name);
    const earlier = seat === undefined ? undefined : replyTo(seat.live, command.id);
    if (earlier !== undefined) return earlier;
    if (verb === "store") return this.#segments.store(command);
    if (verb === "apply" && isTemplate(command.document)) return this.#templates.apply(command);
    if (verb === "apply") return isSegment(command.document) ? this.#segments.apply(command) : this.#apply(command);
    if (verb === "forget") return this.#forgetSidecar(command);
    return this.#move(command, seat, verb);
  }

  async #move(command: Command, seat: Seat | undefined, verb: Move): Promise<Reply> {
    if (seat === undefined) return replyWith(command, { result: "refused", message: this.#unknown(command.rollout) });
    const done = (after: LiveState): Reply => replyWith(command, { result: "done", message: `${verb}: ${standing(after)}` }, after);
    const refusal = await this.#steps.deliver(seat, eventOf(command, verb), { who: command.who, reply: done });
    if (refusal === undefined) return replyTo(seat.live, command.id) ?? done(seat.live);
    return this.#remember(seat, replyWith(command, { result: "refused", message: refusal }, seat.live));
  }

  #unknown(name: string | undefined): string {
    const names = [...this.#steps.seats.keys()].toSorted().join(", ");
    const known = names === "" ? "nothing was applied yet" : `known are: ${names}`;
    return name === undefined ? `this command needs a rollout; ${known}` : `no rollout is named ${name}; ${known}`;
  }

  async #apply(command: Command): Promise<Reply> {
    const { seats, publisher } = this.#steps;
    const found = await this.#templates.lookUp(command.document);
    if ("refusal" in found) return replyWith(command, { result: "refused", message: found.refusal });
    const { template } = found;
    const applied = judgeApply(withTemplate(command.document, template), command.rollout, [...seats.values()], this.#known.names);
    if (applied.type !== "start") {
      const seat = seats.get(command.rollout ?? "");
      const reply = replyWith(command, { result: applied.type, message: applied.message }, seat?.live);
      return seat === undefined || command.dryRun === true || applied.type === "invalid" ? reply : this.#remember(seat, reply);
    }
    const { rollout } = applied;
    const run = this.#nextRun(rollout.name);
    const size = this.#liveBytesWith(rollout);
    if (size > MAX_LIVE_BYTES) {
      const message = `with ${rollout.name} the live part of the rules would take ${size} bytes, and ${MAX_LIVE_BYTES} are allowed; hand over or end others first`;
      return replyWith(command, { result: "refused", message });
    }
    if (command.dryRun === true)
      return replyWith(command, { result: "done", message: `${rollout.name} is valid and would begin run ${run}` });
    const sequence = await this.#storePlan(command, rollout.name, template);
    const { who, reason } = command;
    const seat = await this.begin({ rollout, sequence, who, reason, commandId: command.id });
    this.#parts.log.info({ rollout: seat.name, who: who.name, sequence, manifest: publisher.current }, "plan applied");
    return replyTo(seat.live, command.id) ?? replyWith(command, { result: "done", message: standing(seat.live) }, seat.live);
  }

  /** The plan goes first: if the leader dies before live state obeys it, the next one finds and begins it. */
  async #storePlan({ id, document, who, reason }: Command, name: string, template: UsedTemplate | undefined): Promise<number> {
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
      commandId: id,
    } as const;
    return plans.append(name, plan, last?.sequence ?? 0);
  }

  /** Begins an attempt with a stored plan: its runs go on from the last one's, so no evidence is ever mistaken. */
  async begin(plan: Pick<Plan, "rollout" | "sequence" | "who" | "reason" | "commandId">): Promise<Seat> {
    const { rollout, sequence, who, reason, commandId } = plan;
    const before = this.#steps.seats.get(rollout.name);
    const nowMs = this.#parts.clock.nowMs();
    const change = startPlan(nowMs, this.#nextRun(rollout.name));
    const { commands, outbox } = before?.live ?? { commands: [], outbox: [] };
    const seat = newSeat(rollout, { ...freshLive(rollout.name, sequence, change.state, nowMs), commands, outbox }, nowMs);
    const applied = { type: "audit", action: "apply", reason: reason ?? `plan ${sequence}` } as const;
    const reply = (after: LiveState): Reply =>
      replyWith({ id: commandId }, { result: "done", message: `apply: ${standing(after)}` }, after);
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

  async #forgetSidecar(command: Command): Promise<Reply> {
    const { sidecar, who, reason } = command;
    if (sidecar === undefined) return replyWith(command, { result: "invalid", message: "sidecar: forget needs the sidecar's id" });
    if (!(await this.#forget(sidecar))) {
      const message = `no sidecar of that name is known; \`serin status --json\` lists those that are`;
      return replyWith(command, { result: "invalid", message });
    }
    for (const seat of this.#steps.seats.values()) {
      const entry = { action: "forget", reason: `sidecar ${sidecar}${reason === undefined ? "" : `: ${reason}`}` };
      if (seat.live.plan.phase !== "handedOver") await this.#steps.note(seat, entry, who);
    }
    return replyWith(command, { result: "done", message: `sidecar ${sidecar} is forgotten; if it reports again, it counts again` });
  }

  async #remember(seat: Seat, reply: Reply): Promise<Reply> {
    await this.#steps.storeReply(seat, reply);
    return reply;
  }
}

function eventOf({ full, override, reason, who }: Command, verb: Move): PlanEvent {
  switch (verb) {
    case "promote":
      return { type: verb, full: full === true, override, who, reason };
    case "pause":
    case "abort":
      return { type: verb, who, reason: reason ?? `by ${who.name}` };
    case "resume":
    case "handover":
      return { type: verb, who, reason };
  }
}

const standing = ({ rollout, plan, shareBp }: LiveState): string => `${rollout} is ${plan.phase}, run ${plan.run}, share ${shareBp / 100}%`;

/** An answer with where the rollout stands now, when there is one. */
function replyWith({ id }: Pick<Command, "id">, { result, message }: Answer, live?: LiveState): Reply {
  return { format: FORMAT, id, result, message, ...(live === undefined ? {} : { phase: live.plan.phase, run: live.plan.run }) };
}

/** Text that is no JSON is no command; undefined lets the schema say so. */
function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

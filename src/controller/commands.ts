import type { LiveState } from "../contract/live.ts";
import { type Command, CommandSchema, type Reply, type Verb } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import type { PlanInput } from "../core/plan/types.ts";
import { ApplyCommands } from "./apply-commands.ts";
import { Attempts } from "./attempts.ts";
import { deleteRollout, deletionId } from "./delete-rollout.ts";
import type { FailingKeeper } from "./failing-keeper.ts";
import { DeposedError } from "./fenced-writer.ts";
import type { FleetKeeper } from "./fleet-keeper.ts";
import { idOf } from "./incoming.ts";
import { replyTo } from "./live-rules.ts";
import { isPolicy, PolicyCommands } from "./policy-commands.ts";
import type { PolicyKeeper } from "./policy-keeper.ts";
import type { TermParts } from "./ports.ts";
import { replyWith, standing } from "./replies.ts";
import type { Seat } from "./seats.ts";
import { isSegment, SegmentCommands } from "./segment-commands.ts";
import type { SegmentKeeper } from "./segments.ts";
import { denial, type Sender, whoOf } from "./senders.ts";
import type { Steps } from "./steps.ts";
import { isTemplate, TemplateCommands } from "./template-commands.ts";
import { type Vouched, vouched } from "./vouching.ts";

interface CommandTools {
  readonly steps: Steps;
  readonly segments: SegmentKeeper;
  readonly policy: PolicyKeeper;
  readonly fleet: FleetKeeper;
  readonly failing: FailingKeeper;
  /** Hears which rollout was deleted. */
  gone(name: string): void;
}

type Move = Exclude<Verb, "apply" | "forget" | "store" | "delete" | "freeze" | "unfreeze">;
type Carried = Readonly<{ seat: Seat; verb: Move; done: (after: LiveState) => Reply }>;

/** Carries out what operators ask. An answer is given only when what it says is durable and, where rules changed, published. */
export class Commands {
  readonly #parts: TermParts;
  readonly #steps: Steps;
  readonly #segments: SegmentCommands;
  readonly #templates: TemplateCommands;
  readonly #policy: PolicyCommands;
  readonly #attempts: Attempts;
  /** Takes rollouts in. */
  readonly rollouts: ApplyCommands;
  readonly #keeper: PolicyKeeper;
  readonly #fleet: FleetKeeper;
  readonly #failing: FailingKeeper;
  readonly #gone: CommandTools["gone"];

  constructor(parts: TermParts, { steps, segments, policy, fleet, failing, gone }: CommandTools) {
    this.#parts = parts;
    this.#steps = steps;
    this.#attempts = new Attempts(parts, steps);
    this.#segments = new SegmentCommands(parts, steps, segments);
    this.#policy = new PolicyCommands(parts, policy, steps.seats);
    this.#templates = new TemplateCommands(parts);
    this.rollouts = new ApplyCommands(parts, { steps, segments, policy, attempts: this.#attempts, templates: this.#templates });
    this.#keeper = policy;
    this.#fleet = fleet;
    this.#failing = failing;
    this.#gone = gone;
  }

  /**
   * Answers one message of the command subject. A failure beside leadership is the operator's to know; when leadership is gone no answer is
   * given, and the sender asks the next leader.
   */
  async answer(data: Uint8Array, sender: Sender = "unproven"): Promise<Reply> {
    try {
      return await this.#carryOut(data, sender);
    } catch (error) {
      if (error instanceof DeposedError) throw error;
      this.#parts.log.error({ err: error }, "command failed");
      const message = error instanceof Error ? error.message : String(error);
      return { format: FORMAT, id: idOf(data), result: "failed", message: `${message}; send the same command again to learn how it ended` };
    }
  }

  async #carryOut(data: Uint8Array, sender: Sender): Promise<Reply> {
    const parsed = CommandSchema.safeParse(parseJson(data));
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".") || "command"}: ${message}`);
      return { format: FORMAT, id: "", result: "invalid", message: faults.join("\n") };
    }
    const { id, rollout: name, verb } = parsed.data;
    const seat = name === undefined ? undefined : this.#steps.seats.get(name);
    const denied = denial(sender, parsed.data, seat?.live.plan.phase);
    if (denied !== undefined) return replyWith(parsed.data, { result: "refused", message: denied });
    const earlier = seat === undefined ? undefined : replyTo(seat.live, id);
    // What was written may not have been published.
    if (earlier !== undefined) return this.#steps.sync().then(() => earlier);
    const known = this.#known(sender, parsed.data, seat);
    if ("refused" in known) return replyWith(parsed.data, { result: "refused", message: known.refused }, seat?.live);
    const { command } = known;
    if (verb === "store") return this.#segments.store(command);
    if (verb === "apply") return this.#apply(command);
    if (verb === "freeze" || verb === "unfreeze") return this.#policy.freeze(command);
    if (verb === "forget") return this.#forgetSidecar(command);
    if (verb === "delete") return this.#delete(command, seat);
    return this.#move(command, seat, verb);
  }

  /** A token vouches for its bearer; else a pass for whoever signed it. */
  #known(sender: Sender, command: Command, seat: Seat | undefined): Vouched {
    const told = { ...command, who: whoOf(sender, command) };
    if (sender !== "unproven") return { command: told };
    const { operatorKeys: keys = new Map(), clock } = this.#parts;
    return vouched(told, keys, { nowMs: clock.nowMs(), run: seat?.live.plan.run });
  }

  async #move(command: Command, seat: Seat | undefined, verb: Move): Promise<Reply> {
    if (seat === undefined) return replyWith(command, { result: "refused", message: this.#unknown(command.rollout) });
    const done = (after: LiveState): Reply => replyWith(command, { result: "done", message: `${verb}: ${standing(after)}` }, after);
    const refusal = await this.#carry(command, { seat, verb, done });
    const { live } = this.#steps.seats.get(seat.name) ?? seat;
    if (refusal === undefined) return replyTo(live, command.id) ?? done(live);
    const reply = replyWith(command, { result: "refused", message: refusal }, live);
    // A link stays what its bearer was given: it may do later what a freeze refuses now.
    if (command.pass === undefined) await this.#steps.storeReply(seat, reply);
    return reply;
  }

  /** The refusal, if it is one. */
  #carry(command: Command, { seat, verb, done }: Carried): Promise<string | undefined> {
    if (verb === "retry") return this.#attempts.retry(seat, command, done);
    if (verb === "undo" && seat.live.plan.phase === "handedOver") return this.#attempts.undo(seat, command);
    const { who, reason } = command;
    return this.#steps.deliver(seat, eventOf(command, verb), { who, asked: { verb, reason }, reply: done });
  }

  #apply(command: Command): Promise<Reply> {
    if (isTemplate(command.document)) return this.#templates.apply(command);
    if (isPolicy(command.document)) return this.#policy.apply(command);
    return isSegment(command.document) ? this.#segments.apply(command) : this.rollouts.apply(command);
  }

  async #delete(command: Command, seat: Seat | undefined): Promise<Reply> {
    const tools = { parts: this.#parts, steps: this.#steps, gone: this.#gone };
    if (seat !== undefined) return replyWith(command, await deleteRollout(seat, command, tools));
    const isRepeat = command.rollout !== undefined && (await this.#parts.audit.last(command.rollout))?.id === deletionId(command);
    if (isRepeat) return replyWith(command, { result: "done", message: "delete: it is gone" });
    return replyWith(command, { result: "refused", message: this.#unknown(command.rollout) });
  }

  #unknown(name: string | undefined): string {
    const names = [...this.#steps.seats.keys()].toSorted().join(", ");
    const known = names === "" ? "nothing was applied yet" : `known are: ${names}`;
    return name === undefined ? `this command needs a rollout; ${known}` : `no rollout is named ${name}; ${known}`;
  }

  async #forgetSidecar(command: Command): Promise<Reply> {
    const { sidecar, who, reason } = command;
    if (sidecar === undefined) return replyWith(command, { result: "invalid", message: "sidecar: forget needs the sidecar's id" });
    const earlier = this.#keeper.replyTo(command.id);
    if (earlier === undefined && !this.#fleet.members.includes(sidecar)) {
      const message = `no sidecar of that name is known; \`serin status --json\` lists those that are`;
      return replyWith(command, { result: "invalid", message });
    }
    const message = `sidecar ${sidecar} is forgotten; if it reports again, it counts again`;
    const reply = earlier ?? replyWith(command, { result: "done", message });
    const entry = { action: "forget", reason: `sidecar ${sidecar}${reason === undefined ? "" : `: ${reason}`}` };
    const line = { format: FORMAT, id: `forget-${command.id}`, atMs: this.#parts.clock.nowMs(), who, ...entry } as const;
    // The answer goes first, and what follows may be done twice: a leader that dies in between is asked again.
    if (earlier === undefined) await this.#keeper.remember(reply, line);
    this.#failing.forget(sidecar);
    await this.#fleet.forget(sidecar);
    for (const seat of this.#steps.seats.values()) {
      const isTold = seat.live.plan.phase === "handedOver" || replyTo(seat.live, command.id) !== undefined;
      if (!isTold) await this.#steps.note(seat, entry, who, reply);
    }
    return reply;
  }
}

function eventOf({ full, variant, override, now, reason, who }: Command, verb: Exclude<Move, "retry">): PlanInput {
  switch (verb) {
    case "promote":
      return { type: verb, full: full === true, variant, override, who, reason };
    case "pause":
      return { type: verb, who, reason: reason ?? `by ${who.name}` };
    case "abort":
      return { type: verb, who, reason: reason ?? `by ${who.name}`, now };
    case "undo":
      return { type: verb, who, reason, now };
    case "resume":
    case "handover":
      return { type: verb, who, reason };
  }
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

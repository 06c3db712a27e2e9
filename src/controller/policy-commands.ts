import { isDeepStrictEqual } from "node:util";
import type { Audit, Command, Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import { type Freeze, PolicySchema } from "../contract/policy.ts";
import { isEnded } from "../core/plan/ended.ts";
import { frozen } from "../core/plan/what-holds.ts";
import type { PolicyKeeper } from "./policy-keeper.ts";
import type { TermParts } from "./ports.ts";
import type { Seat } from "./seats.ts";

type Answer = Pick<Reply, "result" | "message">;

/** Whether a document of an `apply` is the policy. */
export const isPolicy = (document: unknown): boolean => Object(document).kind === "Policy";

/** Carries out what operators ask of the whole mesh: a new policy, a freeze and its end. */
export class PolicyCommands {
  readonly #parts: TermParts;
  readonly #keeper: PolicyKeeper;
  readonly #seats: ReadonlyMap<string, Seat>;

  constructor(parts: TermParts, keeper: PolicyKeeper, seats: ReadonlyMap<string, Seat>) {
    this.#parts = parts;
    this.#keeper = keeper;
    this.#seats = seats;
  }

  /** A repeat gets the answer that it got before. */
  async apply(command: Command): Promise<Reply> {
    const { id, document, dryRun, who, reason } = command;
    const earlier = this.#keeper.replyTo(id);
    if (earlier !== undefined) return earlier;
    const parsed = PolicySchema.safeParse(document);
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".") || "document"}: ${message}`);
      return answer(id, { result: "invalid", message: faults.join("\n") });
    }
    const fault = this.#missing(parsed.data.calendars ?? {});
    if (fault !== undefined) return answer(id, { result: "refused", message: fault });
    // Stored by a leader that fell before it could say so.
    const place = this.#keeper.placeOf(id);
    if (place === undefined && isDeepStrictEqual(this.#keeper.policy, parsed.data))
      return answer(id, { result: "unchanged", message: "the policy is as it was" });
    if (dryRun === true) return answer(id, { result: "done", message: "the policy is valid" });
    const sequence = place ?? (await this.#store(command));
    this.#keeper.hold({ sequence, policy: parsed.data, commandId: id });
    const reply = answer(id, { result: "done", message: "apply: the policy is in force" });
    await this.#keeper.remember(reply, this.#audit(command, "policy", reason ?? `policy ${sequence}`));
    this.#parts.log.info({ who: who.name, sequence }, "policy applied");
    return reply;
  }

  #store({ id, document, who, reason }: Command): Promise<number> {
    const atMs = this.#parts.clock.nowMs();
    return this.#parts.policy.append({ format: FORMAT, document, who, atMs, ...(reason === undefined ? {} : { reason }), commandId: id });
  }

  /** A repeat gets the answer that it got before. */
  async freeze(command: Command): Promise<Reply> {
    return this.#keeper.replyTo(command.id) ?? (command.verb === "freeze" ? this.#freeze(command) : this.#unfreeze(command));
  }

  async #freeze(command: Command): Promise<Reply> {
    const { who, reason, untilMs } = command;
    const nowMs = this.#parts.clock.nowMs();
    if (untilMs !== undefined && untilMs <= nowMs)
      return answer(command.id, { result: "invalid", message: "until: that time is over; name one that is to come" });
    const freeze: Freeze = {
      who,
      ...(reason === undefined || reason.trim() === "" ? {} : { reason }),
      sinceMs: nowMs,
      ...(untilMs === undefined ? {} : { untilMs }),
    };
    const said = frozen(freeze, nowMs) ?? "";
    return this.#keep(command, freeze, {
      action: "freeze",
      reason: said,
      message: `nothing advances: ${said}; \`serin unfreeze\` ends it`,
    });
  }

  async #unfreeze(command: Command): Promise<Reply> {
    const { freeze } = this.#keeper;
    if (freeze === undefined) return answer(command.id, { result: "unchanged", message: "nothing is frozen" });
    const reason = command.reason ?? `that of ${freeze.who.name} is over`;
    return this.#keep(command, null, { action: "unfreeze", reason, message: "rollouts go on where nothing else holds them" });
  }

  async #keep(
    command: Command,
    freeze: Freeze | null,
    { action, reason, message }: Readonly<{ action: string; reason: string; message: string }>,
  ): Promise<Reply> {
    const { record } = this.#keeper;
    const reply = answer(command.id, { result: "done", message });
    await this.#keeper.keep({
      format: FORMAT,
      freeze,
      commands: [...record.commands, { id: command.id, reply }],
      outbox: [...record.outbox, this.#audit(command, action, reason)],
    });
    this.#parts.log.warn({ who: command.who.name, reason }, action === "freeze" ? "nothing advances from now on" : "the freeze is over");
    return reply;
  }

  /** Its id is the command's: a repeat to the next leader is the same line. */
  #audit({ id, who }: Command, action: string, reason: string): Audit {
    return { format: FORMAT, id: `${action}-${id}`, atMs: this.#parts.clock.nowMs(), action, who, reason };
  }

  /** A calendar that a rollout asks for cannot go while that runs. */
  #missing(calendars: Readonly<Record<string, unknown>>): string | undefined {
    for (const { name, rollout, live } of this.#seats.values()) {
      const { calendar } = rollout;
      if (typeof calendar !== "string" || calendar in calendars || isEnded(live.plan.phase)) continue;
      return `calendars: ${name} asks for ${calendar}, which this policy lacks; keep it until ${name} has ended`;
    }
    return undefined;
  }
}

const answer = (id: string, { result, message }: Answer): Reply => ({ format: FORMAT, id, result, message });

import type { Command, Reply } from "../contract/messages.ts";
import { withTemplate } from "../contract/templates.ts";
import { isEnded } from "../core/plan/ended.ts";
import type { Plan } from "../io/store.ts";
import { type Applied, judgeApply } from "./apply-rules.ts";
import type { Attempts } from "./attempts.ts";
import { replyTo } from "./live-rules.ts";
import type { PolicyKeeper } from "./policy-keeper.ts";
import type { TermParts } from "./ports.ts";
import { defaultsOf, withDefaults } from "./relation-rules.ts";
import { replyWith, standing } from "./replies.ts";
import type { Found, Seat, Waiting } from "./seats.ts";
import type { SegmentKeeper } from "./segments.ts";
import type { Steps } from "./steps.ts";
import type { TemplateCommands } from "./template-commands.ts";

interface ApplyTools {
  readonly steps: Steps;
  readonly segments: SegmentKeeper;
  readonly policy: PolicyKeeper;
  readonly attempts: Attempts;
  readonly templates: TemplateCommands;
}

/** What a plan holds of its rollout. */
type Planned = Pick<Plan, "document" | "template">;

type Waits = Extract<Applied, { type: "wait" }>;

/** Takes rollouts in: what is applied begins, waits, or is refused. */
export class ApplyCommands {
  readonly #parts: TermParts;
  readonly #steps: Steps;
  readonly #segments: SegmentKeeper;
  readonly #policy: PolicyKeeper;
  readonly #attempts: Attempts;
  readonly #templates: TemplateCommands;

  constructor(parts: TermParts, { steps, segments, policy, attempts, templates }: ApplyTools) {
    this.#parts = parts;
    this.#steps = steps;
    this.#segments = segments;
    this.#policy = policy;
    this.#attempts = attempts;
    this.#templates = templates;
  }

  async apply(command: Command): Promise<Reply> {
    const seat = this.#steps.seats.get(command.rollout ?? "");
    const found = await this.#templates.lookUp(command.document);
    if ("refusal" in found) return replyWith(command, { result: "refused", message: found.refusal });
    const { template } = found;
    const document = withDefaults(command.document, this.#policy.policy?.defaults);
    const applied = this.#judge({ document, template }, command.rollout);
    const { dryRun } = command;
    // What runs keeps what it has: what a newer policy says does not make the same file another document.
    if (applied.type !== "unchanged" && seat !== undefined && !isEnded(seat.live.plan.phase)) {
      const same = this.#judge({ document: withDefaults(command.document, defaultsOf(seat.rollout)), template }, command.rollout);
      if (same.type === "unchanged") return this.#answer(command, same, seat);
    }
    if (applied.type === "wait" && seat !== undefined && dryRun !== true)
      return this.#wait({ ...command, document, template }, applied, seat);
    if (applied.type !== "start") return this.#answer(command, applied, seat);
    const { rollout } = applied;
    const crowd = this.#attempts.crowdText(rollout);
    if (crowd !== undefined) return replyWith(command, { result: "refused", message: crowd });
    const run = await this.#attempts.nextRun(rollout.name);
    if (dryRun === true) return replyWith(command, { result: "done", message: `${rollout.name} is valid and would begin run ${run}` });
    const sequence = await this.#attempts.store({ ...command, document, template }, rollout.name);
    const { who, reason } = command;
    const begun = await this.#attempts.begin({ rollout, sequence, who, reason, commandId: command.id });
    this.#parts.log.info({ rollout: begun.name, who: who.name, sequence, manifest: this.#steps.publisher.current }, "plan applied");
    return replyTo(begun.live, command.id) ?? replyWith(command, { result: "done", message: standing(begun.live) }, begun.live);
  }

  #judge({ document, template }: Planned, name: string | undefined): Applied {
    const calendars = Object.keys(this.#policy.policy?.calendars ?? {});
    return judgeApply(withTemplate(document, template), name, [...this.#steps.seats.values()], {
      segments: this.#segments.names,
      calendars,
    });
  }

  async #answer(command: Command, applied: Exclude<Applied, { type: "start" }>, seat: Seat | undefined): Promise<Reply> {
    const result = applied.type === "wait" ? "done" : applied.type;
    const reply = replyWith(command, { result, message: applied.message }, seat?.live);
    if (seat !== undefined && command.dryRun !== true && applied.type !== "invalid") await this.#steps.storeReply(seat, reply);
    return reply;
  }

  /** The newest version waits; one that waited before it gives its place up. The plan goes first: the next leader finds it. */
  async #wait(command: Command & Pick<Planned, "template">, applied: Waits, seat: Seat): Promise<Reply> {
    const { who, reason, id, document, template } = command;
    const sequence = await this.#attempts.store(command, seat.name);
    return this.#letWait(seat, { rollout: applied.rollout, document, template, sequence, who, reason, commandId: id }, applied);
  }

  async #letWait(seat: Seat, next: Waiting, { message, replaces }: Waits): Promise<Reply> {
    const { sequence, who, reason, commandId: id } = next;
    seat.next = next;
    const reply = replyTo(seat.live, id) ?? replyWith({ id }, { result: "done", message }, seat.live);
    const entry = { action: "waits", reason: `plan ${sequence}${reason === undefined ? "" : `: ${reason}`}` };
    if (replyTo(seat.live, id) === undefined) await this.#steps.note(seat, entry, who, reply);
    if (replaces) await this.#steps.deliver(seat, { type: "abort", who, reason: `replaced by plan ${sequence}` }, { who });
    return reply;
  }

  /** Takes up plans that no live state obeys: the leader before died, or they wait. */
  async takeUp(unobeyed: Found["unobeyed"]): Promise<void> {
    for (const { name, plan } of unobeyed) {
      const { sequence } = plan;
      const applied = this.#judge(plan, name);
      const seat = this.#steps.seats.get(name);
      if (applied.type === "start") {
        this.#parts.log.info({ rollout: name, sequence }, "stored plan was not begun, beginning it");
        await this.#attempts.begin(plan);
      } else if (applied.type === "wait" && seat !== undefined) {
        await this.#letWait(seat, plan, applied);
      } else {
        this.#parts.log.warn({ rollout: name, sequence, why: applied.message }, "stored plan cannot begin, apply it again");
      }
    }
  }

  /** Begins the version that waits once the one before has ended; in no freeze. */
  async beginNext(seat: Seat): Promise<void> {
    const { next, name } = seat;
    if (next === undefined || !isEnded(seat.live.plan.phase)) return;
    if (this.#policy.isFrozen) return;
    const applied = this.#judge(next, name);
    if (applied.type === "start") {
      await this.#attempts.begin(next);
      return;
    }
    const why = applied.message;
    seat.next = undefined;
    this.#parts.log.warn({ rollout: name, sequence: next.sequence, why }, "the version that waited cannot begin, apply it again");
    await this.#steps.note(seat, { action: "refused", reason: `plan ${next.sequence} cannot begin: ${why}` }, this.#steps.self);
  }
}

import { isDeepStrictEqual } from "node:util";
import type { Command, Reply } from "../contract/messages.ts";
import { FORMAT, SUBJECTS } from "../contract/names.ts";
import { MAX_SEGMENTS, type SegmentPlan, SegmentPlanSchema } from "../contract/segments.ts";
import { segmentsIn } from "../core/decide/conditions.ts";
import { isEnded } from "../core/plan/ended.ts";
import { sha256 } from "../io/rules-store.ts";
import { isChunk } from "../io/segment-chunks.ts";
import type { TermParts } from "./ports.ts";
import type { SegmentKeeper } from "./segments.ts";
import type { Steps } from "./steps.ts";

type Answer = Pick<Reply, "result" | "message" | "lacking">;

/** Whether a document of an `apply` is a segment. */
export const isSegment = (document: unknown): boolean => Object(document).kind === "Segment";

/**
 * Carries out what operators ask of segments. Chunks come first, each under its own hash, then the segment that names them; so
 * whatever is cut off may simply be sent again.
 */
export class SegmentCommands {
  readonly #parts: TermParts;
  readonly #steps: Steps;
  readonly #segments: SegmentKeeper;

  constructor(parts: TermParts, steps: Steps, segments: SegmentKeeper) {
    this.#parts = parts;
    this.#steps = steps;
    this.#segments = segments;
  }

  /** Takes one chunk into the store. */
  async store({ id, chunk }: Command): Promise<Reply> {
    const data = Buffer.from(chunk ?? "", "base64");
    if (!isChunk(data)) return answer(id, { result: "invalid", message: "chunk: not users of a segment; let `serin apply` cut it" });
    const subject = SUBJECTS.blob(sha256(data));
    await this.#parts.state.write(subject, data);
    this.#steps.publisher.spare([subject]);
    return answer(id, { result: "done", message: `${data.length / 8} users stored` });
  }

  async apply(command: Command): Promise<Reply> {
    return answer(command.id, await this.#applied(command));
  }

  async #applied(command: Command): Promise<Answer> {
    const { usersFrom, users } = Object(command.document);
    if (usersFrom !== undefined || Array.isArray(users))
      return { result: "invalid", message: "users: raw user ids are never sent; let `serin apply` hash them" };
    const parsed = SegmentPlanSchema.safeParse(command.document);
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".") || "document"}: ${message}`);
      return { result: "invalid", message: faults.join("\n") };
    }
    const { data: plan } = parsed;
    const current = this.#segments.planOf(plan.name);
    if (isDeepStrictEqual(current, plan)) return { result: "unchanged", message: `segment ${plan.name} is as it was` };
    if (current === undefined && this.#segments.names.length >= MAX_SEGMENTS)
      return { result: "refused", message: `there are ${MAX_SEGMENTS} segments, and no more are allowed; use one of them again` };
    if (command.dryRun === true) return { result: "done", message: `segment ${plan.name} is valid` };
    // What is here now must not be purged before the manifest names it.
    this.#steps.publisher.spare(Object.values(plan.chunks).map(SUBJECTS.blob));
    const lacking = await this.#segments.lacking(plan);
    if (lacking.length > 0) return { result: "refused", message: `${lacking.length} chunks must be stored first`, lacking };
    await this.#publish(plan, command);
    return { result: "done", message: `apply: ${plan.users} users in ${Object.keys(plan.chunks).length} chunks${besides(plan)}` };
  }

  /** The plan goes first: if the leader dies before the manifest names it, the next one publishes it. */
  async #publish(plan: SegmentPlan, { id, who, reason }: Command): Promise<void> {
    const { segments, clock, log } = this.#parts;
    const { name } = plan;
    const last = await segments.last(name);
    const document = {
      format: FORMAT,
      document: plan,
      who,
      atMs: clock.nowMs(),
      ...(reason === undefined ? {} : { reason }),
      commandId: id,
    } as const;
    const sequence = await segments.append(name, document, last?.sequence ?? 0);
    this.#segments.hold({ sequence, plan });
    await this.#steps.sync();
    log.info({ segment: name, users: plan.users, who: who.name, sequence }, "segment applied");
    for (const seat of this.#steps.seats.values()) {
      const asks = seat.rollout.targets.some(({ when }) => segmentsIn(when).includes(name));
      const entry = {
        action: "segment",
        reason: `segment ${name} has ${plan.users} users${besides(plan)}${reason === undefined ? "" : `: ${reason}`}`,
      };
      if (asks && !isEnded(seat.live.plan.phase)) await this.#steps.note(seat, entry, who);
    }
  }
}

const besides = ({ when }: SegmentPlan): string => (when === undefined ? "" : " and a condition");

const answer = (id: string, { result, message, lacking }: Answer): Reply => ({
  format: FORMAT,
  id,
  result,
  message,
  ...(lacking === undefined ? {} : { lacking }),
});

import * as z from "zod";
import {
  FEEDBACK_KEPT_MS,
  FeedbackEventSchema,
  type FeedbackRecord,
  FeedbackRecordSchema,
  type FeedbackReply,
  type HashedFeedback,
  HashedFeedbackSchema,
  MAX_SEEN,
  type ServedRules,
} from "../../contract/feedback.ts";
import { FORMAT, SUBJECTS } from "../../contract/names.ts";
import type { FeedbackCheck } from "../../contract/own-checks.ts";
import { hashKey } from "../../core/decide/bucket.ts";
import { attribute, hashedFeedback, withServed } from "../../core/decide/feedback.ts";
import { liveRuleOf } from "../derive-manifest.ts";
import { parse } from "../incoming.ts";
import type { TermParts } from "../ports.ts";
import { readRecord } from "../stored-record.ts";
import type { Checked } from "./held-checks.ts";
import { feedbackIn } from "./own-evidence.ts";

/** What is known of one rollout. */
interface Known {
  served: readonly ServedRules[];
  /** Oldest first. */
  readonly seen: Set<string>;
  isDirty: boolean;
  /** Monotonic. */
  writtenMs: number;
}

/** What comes late by the clock of somebody else is not refused. */
const AHEAD_MS = 60_000;
/** A write of all users that were seen is large; so many of the judge's writes pass between two. */
const WRITE_EVERY = 4;

const MessageSchema = z.union([FeedbackEventSchema, HashedFeedbackSchema]);

/**
 * Takes in what users say of rollouts that count it. Which rules held when is kept for seven days, in the state stream as the hashes of users
 * are, for each to count once; keys are hashed as they come and kept nowhere.
 */
export class FeedbackKeeper {
  readonly #parts: TermParts;
  readonly #known = new Map<string, Known>();
  readonly #onHit: (checked: Checked, check: string, variant: string) => void;

  constructor(parts: TermParts, onHit: (checked: Checked, check: string, variant: string) => void) {
    this.#parts = parts;
    this.#onHit = onHit;
  }

  /** Reads what the leader before left of these rollouts. */
  async load(rollouts: readonly Checked[]): Promise<void> {
    for (const { name, rollout } of rollouts) {
      if (feedbackIn(rollout).length === 0) continue;
      const place = { subject: SUBJECTS.rolloutFeedback(name), schema: FeedbackRecordSchema, rollout: name, what: "feedback" };
      const record = await readRecord(this.#parts, place);
      if (record !== undefined) this.#known.set(name, { served: record.served, seen: new Set(record.seen), isDirty: false, writtenMs: 0 });
    }
  }

  /** Takes an event in; `checked` is the rollout that it names, where that is led. */
  hear(name: string, checked: Checked | undefined, data: Uint8Array): FeedbackReply {
    if (checked === undefined) return { result: "unasked", message: `no rollout is named ${name}` };
    const parsed = MessageSchema.safeParse({ ...Object(messageIn(data)), rollout: name });
    if (!parsed.success) return { result: "invalid", message: z.prettifyError(parsed.error) };
    const feedback = "key" in parsed.data ? hashedFeedback(parsed.data, checked.rollout) : parsed.data;
    return this.#count(checked, feedback);
  }

  /** Takes down which rules hold, and writes what changed. */
  async write({ name, rollout, live }: Checked): Promise<void> {
    if (feedbackIn(rollout).length === 0) return;
    const { clock, settings, state } = this.#parts;
    const known = this.#knownOf(name);
    const served = withServed(known.served, rollout, liveRuleOf(rollout, live), clock.nowMs());
    const isMoved = served !== known.served;
    known.served = served;
    const nowMs = clock.monotonicMs();
    const isDue = known.isDirty && nowMs - known.writtenMs >= WRITE_EVERY * settings.judgeWriteMs;
    if (!isMoved && !isDue) return;
    const record: FeedbackRecord = { format: FORMAT, rollout: name, served: [...served], seen: [...known.seen] };
    Object.assign(known, { isDirty: false, writtenMs: nowMs });
    await state.write(SUBJECTS.rolloutFeedback(name), JSON.stringify(record));
  }

  #knownOf(name: string): Known {
    const known = this.#known.get(name) ?? { served: [], seen: new Set(), isDirty: false, writtenMs: 0 };
    this.#known.set(name, known);
    return known;
  }

  #count(checked: Checked, feedback: HashedFeedback): FeedbackReply {
    const { name, rollout, live } = checked;
    const checks = feedbackIn(rollout).filter((check) => counts(check, feedback));
    if (checks.length === 0) return { result: "unasked", message: `no check of ${name} counts ${feedback.kind} of this value` };
    const nowMs = this.#parts.clock.nowMs();
    const { atMs = nowMs, variant, user, id } = feedback;
    if (atMs > nowMs + AHEAD_MS) return { result: "invalid", message: "atMs lies ahead; give Unix milliseconds" };
    if (variant !== undefined && !Object.hasOwn(rollout.variants, variant))
      return {
        result: "invalid",
        message: `${name} has no variant ${variant}; its variants are ${Object.keys(rollout.variants).join(", ")}`,
      };
    const unattributed = (message: string): FeedbackReply => ({ result: "unattributed", message });
    if (atMs < nowMs - FEEDBACK_KEPT_MS) return unattributed("it is older than 7 days");
    if (user !== undefined && this.#parts.isUserOff?.(name, user.hash) === true) return unattributed("an operator switched the user off");
    const known = this.#knownOf(name);
    const found = attribute(known.served, rollout, feedback, atMs);
    if ("unattributed" in found) return unattributed(found.unattributed);
    if (found.run < live.plan.firstRun) return unattributed("it is of an attempt before this one");
    const who = user?.hash ?? `id ${id ?? ""}`;
    const fresh = checks.filter((check) =>
      this.#isFirst(known, hashKey(name, `${check.name} ${found.variant} ${live.plan.firstRun} ${who}`)),
    );
    for (const check of fresh) this.#onHit(checked, check.name, found.variant);
    const result = fresh.length === 0 ? "repeated" : "counted";
    return { result, message: `${result}: ${feedback.kind} on ${found.variant}` };
  }

  /** Whether it did not count yet; from now on it has. */
  #isFirst(known: Known, token: string): boolean {
    if (known.seen.has(token)) return false;
    known.seen.add(token);
    const [oldest] = known.seen;
    if (known.seen.size > MAX_SEEN && oldest !== undefined) known.seen.delete(oldest);
    known.isDirty = true;
    return true;
  }
}

function messageIn(data: Uint8Array): unknown {
  try {
    return parse(data);
  } catch {
    // Not JSON: the schema says what is wanted; the parser's own words would quote a user.
    return undefined;
  }
}

function counts({ feedback: { kind, atLeast, atMost } }: FeedbackCheck, event: HashedFeedback): boolean {
  if (event.kind !== kind) return false;
  if (atLeast === undefined && atMost === undefined) return true;
  return event.value !== undefined && event.value >= (atLeast ?? -Infinity) && event.value <= (atMost ?? Infinity);
}

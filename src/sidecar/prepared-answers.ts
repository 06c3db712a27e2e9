import type { CompiledRules } from "../core/decide/compile.ts";
import { saysTarget, sentMember } from "../core/decide/tags.ts";
import type { Decision, Reason } from "../core/decide/types.ts";
import { type Prepared, prepare, writeNumber } from "./h2/prepared.ts";
import { alsoText, writeBuckets } from "./wire/also.ts";
import { type Answer, type Answered, decisionAnswer } from "./wire/answer.ts";

const REASONS: readonly Reason[] = ["share", "target", "cohort", "no key", "no rollout", "off", "unwatched"];
const NO_TOGGLES: readonly Decision[] = [];

/** Ways in which answers of one variant differ, but for the bucket and for tags that say the target. */
const slotOf = ({ control, reason, bucket, mirror }: Decision, isSession: boolean): number =>
  (REASONS.indexOf(reason) << 4) |
  (mirror === undefined ? 0 : 8) |
  (isSession ? 4 : 0) |
  (control ? 2 : 0) |
  (bucket === undefined ? 0 : 1);

/** More than the slots of a variant. */
const SLOTS = REASONS.length << 4;

/** An answer as a message, and how many headers it sets. */
export type Message = Pick<Answer, "bytes" | "sets">;

/** The same with its frames. */
export type Framed = Prepared & Message;

/** The answers of one rollout that were needed so far. */
interface Kept {
  readonly answers: Framed[];
  /** In the order in which they were met: few, so that looking through them is fast. */
  readonly variants: string[];
  /** Where tags say the target: one set of answers for each. */
  readonly byTarget: Map<string, Kept> | undefined;
}

/** Answers to requests without baggage: each made when it is first needed, and kept as long as its rules. */
export interface PreparedAnswers {
  /** The framed answer to a decision without toggles. */
  of(decision: Decision, rules: CompiledRules, isSession: boolean): Framed;
  /** The message to a decision with toggles, with the buckets written into it. */
  withToggles(told: Omit<Answered, "baggage">, rules: CompiledRules): Message;
}

/** More combinations than this are made anew each time. */
const MOST_COMBINATIONS = 1_000;

/** Starts without any answer; `mostCombinations` bounds those with toggles that are kept. */
export function createPreparedAnswers(mostCombinations = MOST_COMBINATIONS): PreparedAnswers {
  const byRules = new WeakMap<CompiledRules, Map<string | undefined, Kept>>();
  const combinations = new WeakMap<CompiledRules, Map<string, Answer>>();
  return {
    of(decision, rules, isSession) {
      let rollouts = byRules.get(rules);
      if (rollouts === undefined) byRules.set(rules, (rollouts = new Map()));
      let kept = rollouts.get(decision.rollout);
      if (kept === undefined) rollouts.set(decision.rollout, (kept = keptFor(decision, rules)));
      if (kept.byTarget !== undefined && decision.target !== undefined) kept = ofTarget(kept.byTarget, decision.target);
      const slot = indexOf(kept.variants, decision.variant) * SLOTS + slotOf(decision, isSession);
      const known = kept.answers[slot];
      if (known !== undefined) return known;
      const answer = decisionAnswer({ decision, toggles: NO_TOGGLES, isSession, baggage: sentMember(decision, rules) }, rules);
      const made = { ...prepare(answer.bytes, answer.bucketPlaces), sets: answer.sets };
      kept.answers[slot] = made;
      return made;
    },
    withToggles(told, rules) {
      let known = combinations.get(rules);
      if (known === undefined) combinations.set(rules, (known = new Map()));
      const key = combinationOf(told);
      let answer = known.get(key);
      if (answer === undefined) {
        answer = decisionAnswer({ ...told, baggage: sentMember(told.decision, rules) }, rules);
        if (known.size < mostCombinations) known.set(key, answer);
      }
      return withBuckets(answer, told);
    },
  };
}

/** The message to decisions, made anew. */
export const answerAnew = (answered: Answered, rules: CompiledRules): Message => withBuckets(decisionAnswer(answered, rules), answered);

function withBuckets(
  { bytes, bucketPlaces, alsoAt, sets }: Answer,
  { decision, toggles }: Pick<Answered, "decision" | "toggles">,
): Message {
  const message = Buffer.from(bytes);
  writeNumber(bucketPlaces, decision.bucket ?? 0, message, 0);
  writeBuckets(message, alsoAt, toggles);
  return { bytes: message, sets };
}

/** Equal for all requests whose answers differ in buckets alone. */
function combinationOf({ decision, toggles, isSession }: Omit<Answered, "baggage">): string {
  const { rollout, variant, control, bucket, mirror } = decision;
  const facts = [rollout, variant, control, bucket === undefined, mirror, isSession, alsoText(toggles)];
  // What tags may say of each.
  for (const { reason, target } of [decision, ...toggles]) facts.push(reason, target);
  return facts.join("|");
}

const empty = (byTarget?: Map<string, Kept>): Kept => ({ answers: [], variants: [], byTarget });

function keptFor({ rollout = "" }: Decision, rules: CompiledRules): Kept {
  const variants = Object.values(rules.rollouts.get(rollout)?.variants ?? {});
  return empty(variants.some(({ tags }) => Object.values(tags).some(saysTarget)) ? new Map() : undefined);
}

function ofTarget(byTarget: Map<string, Kept>, target: string): Kept {
  let kept = byTarget.get(target);
  if (kept === undefined) byTarget.set(target, (kept = empty()));
  return kept;
}

function indexOf(variants: string[], variant: string): number {
  const found = variants.indexOf(variant);
  return found === -1 ? variants.push(variant) - 1 : found;
}

import type { CompiledRules } from "../core/decide/compile.ts";
import { saysTarget, sentMember } from "../core/decide/tags.ts";
import type { Decision, Reason } from "../core/decide/types.ts";
import { type Prepared, prepare } from "./h2/prepared.ts";
import { type AnswerParts, decisionAnswer } from "./wire/answer.ts";

const REASONS: readonly Reason[] = ["share", "target", "cohort", "no key", "no rollout", "off", "unwatched"];

/** Ways in which answers of one variant differ, but for the bucket and for tags that say the target. */
const slotOf = ({ control, reason, bucket, mirror }: Decision, isSession: boolean): number =>
  (REASONS.indexOf(reason) << 4) |
  (mirror === undefined ? 0 : 8) |
  (isSession ? 4 : 0) |
  (control ? 2 : 0) |
  (bucket === undefined ? 0 : 1);

/** More than the slots of a variant. */
const SLOTS = REASONS.length << 4;

/** The answers of one rollout that were needed so far. */
interface Kept {
  readonly answers: Prepared[];
  /** In the order in which they were met: few, so that looking through them is fast. */
  readonly variants: string[];
  /** Where tags say the target: one set of answers for each. */
  readonly byTarget: Map<string, Kept> | undefined;
}

/** Finds the framed answer to a decision on a request without baggage: made when it is first needed, and kept as long as its rules. */
export function createPreparedAnswers(): (decision: Decision, rules: CompiledRules, isSession: boolean) => Prepared {
  const byRules = new WeakMap<CompiledRules, Map<string | undefined, Kept>>();
  return (decision, rules, isSession) => {
    let rollouts = byRules.get(rules);
    if (rollouts === undefined) byRules.set(rules, (rollouts = new Map()));
    let kept = rollouts.get(decision.rollout);
    if (kept === undefined) rollouts.set(decision.rollout, (kept = keptFor(decision, rules)));
    if (kept.byTarget !== undefined && decision.target !== undefined) kept = ofTarget(kept.byTarget, decision.target);
    const slot = indexOf(kept.variants, decision.variant) * SLOTS + slotOf(decision, isSession);
    const known = kept.answers[slot];
    if (known !== undefined) return known;
    const made = preparedAnswer(decision, rules, { isSession, baggage: sentMember(decision, rules) });
    kept.answers[slot] = made;
    return made;
  };
}

/** The framed answer to a decision, made anew. */
export function preparedAnswer(decision: Decision, rules: CompiledRules, parts: AnswerParts): Prepared {
  const { bytes, bucketAt, bucketTextAt } = decisionAnswer(decision, rules, parts);
  return prepare(bytes, { numberAt: bucketAt, digitsAt: bucketTextAt });
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

import type { CompiledRules } from "../core/decide/compile.ts";
import type { Decision, Reason } from "../core/decide/types.ts";
import { type Prepared, prepare } from "./h2/stream.ts";
import { decisionAnswer } from "./wire/answer.ts";

const REASONS: readonly Reason[] = ["share", "target", "no key", "no rollout", "off", "unwatched"];

/** Every way in which answers of one rollout differ, but for the bucket. */
const slotOf = ({ variant, control, reason, bucket }: Decision, isSession: boolean): number =>
  (REASONS.indexOf(reason) << 4) |
  (isSession ? 8 : 0) |
  (variant === "stable" ? 0 : 4) |
  (control ? 2 : 0) |
  (bucket === undefined ? 0 : 1);

/** Finds the framed answer to a decision: made when it is first needed, and kept as long as its rules. */
export function createPreparedAnswers(): (decision: Decision, rules: CompiledRules, isSession: boolean) => Prepared {
  const byRules = new WeakMap<CompiledRules, Map<string | undefined, Prepared[]>>();
  return (decision, rules, isSession) => {
    let rollouts = byRules.get(rules);
    if (rollouts === undefined) byRules.set(rules, (rollouts = new Map()));
    let answers = rollouts.get(decision.rollout);
    if (answers === undefined) rollouts.set(decision.rollout, (answers = []));
    const slot = slotOf(decision, isSession);
    const known = answers[slot];
    if (known !== undefined) return known;
    const { bytes, bucketAt } = decisionAnswer(decision, rules, isSession);
    const made = prepare(bytes, bucketAt);
    answers[slot] = made;
    return made;
  };
}

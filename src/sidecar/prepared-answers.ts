import type { CompiledRules } from "../core/decide/compile.ts";
import type { Decision, Reason } from "../core/decide/types.ts";
import { type Prepared, prepare } from "./h2/stream.ts";
import { alsoText, writeBuckets } from "./wire/also.ts";
import { type Answer, type Answered, decisionAnswer } from "./wire/answer.ts";

const REASONS: readonly Reason[] = ["share", "target", "no key", "no rollout", "off", "unwatched"];
const NO_TOGGLES: readonly Decision[] = [];

/** Answers of one rollout, by every way in which they differ but for the bucket. */
interface RolloutAnswers {
  /** In the order in which they were first decided. */
  readonly variants: string[];
  readonly bySlot: Prepared[];
}

function slotOf({ variants }: RolloutAnswers, { variant, control, reason, bucket }: Decision, isSession: boolean): number {
  let index = variants.indexOf(variant);
  if (index === -1) index = variants.push(variant) - 1;
  return (index << 6) | (REASONS.indexOf(reason) << 3) | (isSession ? 4 : 0) | (control ? 2 : 0) | (bucket === undefined ? 0 : 1);
}

/** Framed answers, each made when it is first needed, and kept as long as its rules. */
export interface PreparedAnswers {
  /** The answer to a decision without toggles. */
  of(decision: Decision, rules: CompiledRules, isSession: boolean): Prepared;
  /** The message to a decision with toggles, with the buckets written into it. */
  withToggles(answered: Answered, rules: CompiledRules): Buffer;
}

/** More combinations than this are made anew each time. */
const MOST_COMBINATIONS = 1_000;

/** Starts without any answer; `mostCombinations` bounds those with toggles that are kept. */
export function createPreparedAnswers(mostCombinations = MOST_COMBINATIONS): PreparedAnswers {
  const byRules = new WeakMap<CompiledRules, Map<string | undefined, RolloutAnswers>>();
  const combinations = new WeakMap<CompiledRules, Map<string, Answer>>();
  return {
    of(decision, rules, isSession) {
      let rollouts = byRules.get(rules);
      if (rollouts === undefined) byRules.set(rules, (rollouts = new Map()));
      let answers = rollouts.get(decision.rollout);
      if (answers === undefined) rollouts.set(decision.rollout, (answers = { variants: [], bySlot: [] }));
      const slot = slotOf(answers, decision, isSession);
      const known = answers.bySlot[slot];
      if (known !== undefined) return known;
      const { bytes, bucketAt } = decisionAnswer({ decision, toggles: NO_TOGGLES, isSession }, rules);
      const made = prepare(bytes, bucketAt);
      answers.bySlot[slot] = made;
      return made;
    },
    withToggles(answered, rules) {
      let known = combinations.get(rules);
      if (known === undefined) combinations.set(rules, (known = new Map()));
      const { decision, toggles, isSession } = answered;
      const { rollout, variant, reason, control, bucket } = decision;
      const key = [rollout, variant, reason, control, bucket === undefined, isSession, alsoText(toggles)].join("|");
      let answer = known.get(key);
      if (answer === undefined) {
        answer = decisionAnswer(answered, rules);
        if (known.size < mostCombinations) known.set(key, answer);
      }
      const bytes = Buffer.from(answer.bytes);
      if (answer.bucketAt !== -1) bytes.writeDoubleLE(bucket ?? 0, answer.bucketAt);
      writeBuckets(bytes, answer.alsoAt, toggles);
      return bytes;
    },
  };
}

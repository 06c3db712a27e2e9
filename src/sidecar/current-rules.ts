import { FORMAT } from "../contract/names.ts";
import type { RuleSet } from "../contract/rules.ts";
import { type CompiledRules, compile } from "../core/decide/compile.ts";
import { isNewer } from "../io/rules-store.ts";

export const EMPTY_RULE_SET: RuleSet = { format: FORMAT, epoch: 0, revision: 0, rollouts: {} };

/** The rules in force: one reference that is swapped whole, with what there is to tell about it. */
export interface CurrentRules {
  compiled(): CompiledRules;
  ruleSet(): RuleSet;
  /** When the rule set in force came into force, Unix milliseconds. */
  sinceMs(): number;
  rejected(): { readonly count: number; readonly problem: string | undefined };
  /** Takes a rule set that is newer than the one in force; false when it is not newer. Throws when it cannot be compiled. */
  offer(ruleSet: RuleSet): boolean;
  /** Takes a rule set whatever its revision: a file is its owner's word. */
  replace(ruleSet: RuleSet): void;
  /** Counts a rule set that was refused; true when this problem is new. */
  reject(problem: string): boolean;
  setUnwatched(unwatched: boolean): void;
  /** Called after each change of what is in force or known about it. Returns the way to stop. */
  onChange(listener: () => void): () => void;
}

/** Starts with the empty rule set: stable for all. */
export function createCurrentRules(nowMs: () => number): CurrentRules {
  let ruleSet = EMPTY_RULE_SET;
  let unwatched = false;
  let compiled = compile(ruleSet);
  let sinceMs = nowMs();
  let rejected: { count: number; problem: string | undefined } = { count: 0, problem: undefined };
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const take = (next: RuleSet): void => {
    compiled = compile(next, { unwatched });
    ruleSet = next;
    sinceMs = nowMs();
    rejected = { count: rejected.count, problem: undefined };
    tell();
  };
  return {
    compiled: () => compiled,
    ruleSet: () => ruleSet,
    sinceMs: () => sinceMs,
    rejected: () => rejected,
    offer(next) {
      if (!isNewer(next, ruleSet)) return false;
      take(next);
      return true;
    },
    replace: take,
    reject(problem) {
      const isNew = problem !== rejected.problem;
      rejected = { count: rejected.count + 1, problem };
      if (isNew) tell();
      return isNew;
    },
    setUnwatched(next) {
      if (next === unwatched) return;
      unwatched = next;
      compiled = compile(ruleSet, { unwatched });
      tell();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** True while some users are on a canary by share: receipts and evidence then come every second. */
export const hasLiveCanary = ({ rollouts }: RuleSet): boolean =>
  Object.values(rollouts).some(({ live }) => !live.off && live.shareBp > 0 && live.shareBp < 10_000);

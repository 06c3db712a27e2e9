import { compareRevision, type ReadyRuleSet } from "../contract/rules.ts";
import { type CompiledRules, compile, NO_RULES, type RulesChange, recompile, withUnwatched } from "../core/decide/compile.ts";
import type { CompiledRollout } from "../core/decide/compiled-rollout.ts";
import type { Kills } from "../core/decide/kills.ts";
import { isNewer } from "../io/rules-store.ts";

const FRESH_MS = 60_000;

/** Rules to put in force: whole, or as they differ from those in force. */
export type NextRules = ReadyRuleSet | RulesChange;

/** The rules in force: one reference that is swapped whole, with what there is to tell about it. */
export interface CurrentRules {
  /** All that is kept of them: neither documents nor lists stand beside it. */
  compiled(): CompiledRules;
  ruleSet(): { readonly epoch: number; readonly revision: number };
  /** When the rule set in force came into force, Unix milliseconds. */
  sinceMs(): number;
  /** True when the rules changed within the last minute: someone may wait for the word that they are obeyed. */
  isFresh(): boolean;
  rejected(): { readonly count: number; readonly problem: string | undefined };
  /** Takes a rule set that is newer than the one in force; false when it is not newer. Throws when it cannot be compiled. */
  offer(next: NextRules): boolean;
  /** Takes a rule set whatever its revision: a file is its owner's word. */
  replace(next: NextRules): void;
  /** A good manifest was seen again: when it is the one in force, an earlier problem is over. */
  confirm(revision: { readonly epoch: number; readonly revision: number }): void;
  /** Counts a rule set that was refused; true when this problem is new. */
  reject(problem: string): boolean;
  setUnwatched(unwatched: boolean): void;
  /** Whom operators switched off, whatever the rules say. */
  setKills(kills: Kills): void;
  /** Called after each change of what is in force or known about it. Returns the way to stop. */
  onChange(listener: () => void): () => void;
}

/** Starts with the empty rule set: stable for all. `isUnwatched` is asked before new rules take force. */
export function createCurrentRules(nowMs: () => number, isUnwatched: () => boolean = () => false): CurrentRules {
  let compiled = NO_RULES;
  let sinceMs = nowMs();
  let changedAtMs = Number.NEGATIVE_INFINITY;
  let rejected: { count: number; problem: string | undefined } = { count: 0, problem: undefined };
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const take = (next: NextRules): void => {
    // Rules that nobody watches must not be served until the next look at the beat.
    const unwatched = isUnwatched();
    compiled =
      "changed" in next ? recompile(withUnwatched(compiled, unwatched), next) : { ...compile(next, { unwatched }), kills: compiled.kills };
    sinceMs = nowMs();
    changedAtMs = sinceMs;
    rejected = { count: rejected.count, problem: undefined };
    tell();
  };
  return {
    compiled: () => compiled,
    ruleSet: () => compiled,
    sinceMs: () => sinceMs,
    isFresh: () => nowMs() - changedAtMs < FRESH_MS,
    rejected: () => rejected,
    offer(next) {
      if (!isNewer(next, compiled)) return false;
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
    confirm(seen) {
      if (rejected.problem === undefined || compareRevision(seen, compiled) !== 0) return;
      rejected = { count: rejected.count, problem: undefined };
      tell();
    },
    setKills(kills) {
      if (kills === compiled.kills) return;
      compiled = { ...compiled, kills };
      tell();
    },
    setUnwatched(next) {
      if (next === compiled.unwatched) return;
      compiled = withUnwatched(compiled, next);
      tell();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** True while users of this rollout are on a canary by share. */
export const isLive = (rollout: Pick<CompiledRollout, "live"> | undefined): boolean =>
  rollout !== undefined && !rollout.live.off && sharesOf(rollout).some((shareBp) => shareBp > 0);

/** True while some users are on a canary by share, and others are not: a run that is being judged. */
export const isSplit = (rules: CompiledRules): boolean =>
  hasRollout(rules, (rollout) => isLive(rollout) && !sharesOf(rollout).includes(10_000));

/** Whether there is such a rollout; asked every second, so that no list of all is made. */
export function hasRollout({ rollouts }: CompiledRules, isSuch: (rollout: CompiledRollout) => boolean): boolean {
  for (const rollout of rollouts.values()) if (isSuch(rollout)) return true;
  return false;
}

const sharesOf = ({ live }: Pick<CompiledRollout, "live">): number[] => [live.shareBp, ...Object.values(live.shares ?? {})];

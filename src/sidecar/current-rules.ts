import { type Labels, ruleHere } from "../contract/groups.ts";
import type { HeardOrder, Stopped } from "../contract/messages.ts";
import { compareRevision, type ReadyRuleSet } from "../contract/rules.ts";
import { type CompiledRules, compile, NO_RULES, type RulesChange, recompile, withStopped, withUnwatched } from "../core/decide/compile.ts";
import type { CompiledRollout } from "../core/decide/compiled-rollout.ts";
import type { Kills } from "../core/decide/kills.ts";
import { isNewer } from "../io/rules-store.ts";
import type { Streak } from "./reflex.ts";

const FRESH_MS = 60_000;

/** Rules to put in force: whole, or as they differ from those in force. */
export type NextRules = ReadyRuleSet | RulesChange;

/** What of a rule set is not there yet, by name. */
export interface Awaited {
  /** They are asked in the version before, where there was one. */
  readonly segments: readonly string[];
  /** They are as they were before, or not there. */
  readonly rollouts: readonly string[];
}

const NOTHING: Awaited = { segments: [], rollouts: [] };

/** The rules in force: one reference that is swapped whole, with what there is to tell about it. */
export interface CurrentRules {
  /** All that is kept of them: neither documents nor lists stand beside it. */
  compiled(): CompiledRules;
  /** The newest that is obeyed in all its rollouts: behind `compiled` while some of them are awaited. */
  ruleSet(): Revision;
  /** When that one came into force, Unix milliseconds. */
  sinceMs(): number;
  /** What of `compiled` is not there yet. */
  awaited(): Awaited;
  /** True when the rules changed within the last minute: someone may wait for the word that they are obeyed. */
  isFresh(): boolean;
  rejected(): { readonly count: number; readonly problem: string | undefined };
  /** Takes a rule set that is newer than the one in force, or more of one that was not whole; else false. Throws when it cannot be compiled. */
  offer(next: NextRules, awaited?: Awaited): boolean;
  /** Takes a rule set whatever its revision: a file is its owner's word. */
  replace(next: NextRules): void;
  /** A good manifest was seen again: when it is the one in force, an earlier problem is over. */
  confirm(revision: { readonly epoch: number; readonly revision: number }): void;
  /** Counts a rule set that was refused; true when this problem is new. */
  reject(problem: string): boolean;
  setUnwatched(unwatched: boolean): void;
  /** Stops a rollout's canary here, until a rule of another run comes. */
  stop(rollout: string, streak: Streak): void;
  /** What was stopped so, and is still. */
  stopped(): readonly Stopped[];
  /** Whom operators switched off, whatever the rules say, and by which orders heard last. */
  setKills(kills: Kills, heard?: readonly HeardOrder[]): void;
  /** Operators' orders heard last. */
  heardOrders(): readonly HeardOrder[];
  /** Called after each change of what is in force or known about it. Returns the way to stop. */
  onChange(listener: () => void): () => void;
}

/** Starts with the empty rule set: stable for all. `isUnwatched` is asked before new rules take force. */
// oxlint-disable-next-line eslint/max-lines-per-function -- one reference, and everything that may swap it
export function createCurrentRules(nowMs: () => number, isUnwatched: () => boolean = () => false, labels: Labels = {}): CurrentRules {
  let compiled = NO_RULES;
  const obeyed = createObeyed(nowMs());
  let changedAtMs = Number.NEGATIVE_INFINITY;
  let rejected: { count: number; problem: string | undefined } = { count: 0, problem: undefined };
  let heardOrders: readonly HeardOrder[] = [];
  let stopped: readonly Stopped[] = [];
  const { tell, onChange } = createListeners();
  const take = (given: NextRules, lacks: Awaited): void => {
    const next = rulesHere(given, labels);
    // Rules that nobody watches must not be served until the next look at the beat.
    const unwatched = isUnwatched();
    compiled =
      "changed" in next ? recompile(withUnwatched(compiled, unwatched), next) : { ...compile(next, { unwatched }), kills: compiled.kills };
    stopped = stillStopped(stopped, compiled);
    // A file is compiled whole, and knows nothing of it.
    for (const { rollout } of stopped) compiled = withStopped(compiled, rollout);
    changedAtMs = nowMs();
    obeyed.take(compiled, lacks, changedAtMs);
    rejected = { count: rejected.count, problem: undefined };
    tell();
  };
  return {
    compiled: () => compiled,
    ruleSet: obeyed.revision,
    awaited: obeyed.awaited,
    sinceMs: obeyed.sinceMs,
    isFresh: () => nowMs() - changedAtMs < FRESH_MS,
    rejected: () => rejected,
    offer(next, lacks = NOTHING) {
      if (!obeyed.lacks(next) && !isNewer(next, compiled)) return false;
      take(next, lacks);
      return true;
    },
    replace: (next) => take(next, NOTHING),
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
    setKills(kills, heard = heardOrders) {
      if (kills === compiled.kills && heard === heardOrders) return;
      if (kills !== compiled.kills) compiled = { ...compiled, kills };
      heardOrders = heard;
      tell();
    },
    heardOrders: () => heardOrders,
    stop(rollout, streak) {
      const before = compiled;
      compiled = withStopped(before, rollout);
      if (compiled === before) return;
      stopped = [...stopped, stopOf(compiled, rollout, { atMs: nowMs(), streak })];
      tell();
    },
    stopped: () => stopped,
    setUnwatched(next) {
      if (next === compiled.unwatched) return;
      compiled = withUnwatched(compiled, next);
      tell();
    },
    onChange,
  };
}

/** Rules as a sidecar with these labels obeys them. */
function rulesHere(next: NextRules, labels: Labels): NextRules {
  if ("changed" in next) {
    const changed = new Map([...next.changed].map(([name, each]) => [name, { ...each, live: ruleHere(each.live, labels) }] as const));
    return { ...next, changed };
  }
  const rollouts = Object.entries(next.rollouts).map(([name, each]) => [name, { ...each, live: ruleHere(each.live, labels) }] as const);
  return { ...next, rollouts: Object.fromEntries(rollouts) };
}
const stillStopped = (stopped: readonly Stopped[], { rollouts }: CompiledRules): readonly Stopped[] =>
  stopped.filter(({ rollout, run }) => rollouts.get(rollout)?.run === run);

const stopOf = ({ rollouts }: CompiledRules, rollout: string, { atMs, streak }: { atMs: number; streak: Streak }): Stopped => ({
  rollout,
  run: rollouts.get(rollout)?.run ?? 0,
  atMs: Math.round(atMs),
  ...streak,
});

function createListeners(): Pick<CurrentRules, "onChange"> & { tell(): void } {
  const listeners = new Set<() => void>();
  return {
    tell() {
      for (const listener of listeners) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

type Revision = Readonly<{ epoch: number; revision: number }>;

/** Which revision is obeyed in all its rollouts, and since when. */
function createObeyed(startMs: number): {
  take(inForce: Revision, lacks: Awaited, nowMs: number): void;
  /** Whether this is the revision in force, and more of it is awaited. */
  lacks(next: Revision): boolean;
  revision(): Revision;
  awaited(): Awaited;
  sinceMs(): number;
} {
  let inForce: Revision = NO_RULES;
  let obeyed: Revision = NO_RULES;
  let awaited = NOTHING;
  let sinceMs = startMs;
  return {
    take({ epoch, revision }, lacks, nowMs) {
      inForce = { epoch, revision };
      awaited = lacks;
      if (lacks.rollouts.length > 0) return;
      // The rest of what is obeyed already is no other revision.
      if (lacks === NOTHING || compareRevision(inForce, obeyed) !== 0) sinceMs = nowMs;
      obeyed = inForce;
    },
    lacks: (next) => awaited.segments.length > 0 && compareRevision(next, inForce) === 0,
    revision: () => obeyed,
    awaited: () => awaited,
    sinceMs: () => sinceMs,
  };
}

/** True while users of this rollout are on a canary by share. */
export const isLive = (rollout: Pick<CompiledRollout, "live"> | undefined): boolean =>
  rollout !== undefined &&
  !rollout.live.off &&
  (sharesOf(rollout).some((shareBp) => shareBp > 0) || isGrouped(rollout) || rollout.live.copies === "only");

/** True where other sidecars may be on the canary. */
const isGrouped = ({ live }: Pick<CompiledRollout, "live">): boolean => live.groups !== undefined;

/** True while some users are on a canary by share, and others are not: a run that is being judged. */
export const isSplit = (rules: CompiledRules): boolean =>
  hasRollout(rules, (rollout) => isLive(rollout) && (isGrouped(rollout) || !sharesOf(rollout).includes(10_000)));

/** Whether there is such a rollout; asked every second, so that no list of all is made. */
export function hasRollout({ rollouts }: CompiledRules, isSuch: (rollout: CompiledRollout) => boolean): boolean {
  for (const rollout of rollouts.values()) if (isSuch(rollout)) return true;
  return false;
}

const sharesOf = ({ live }: Pick<CompiledRollout, "live">): number[] => [live.shareBp, ...Object.values(live.shares ?? {})];

import { isTagOnly } from "../../contract/rollout.ts";
import type { LiveRule, ReadyRuleSet } from "../../contract/rules.ts";
import { type CompiledRollout, compileRollout, isSameLive } from "./compiled-rollout.ts";
import { type HostIndex, NO_HOSTS, reindex, withOthers } from "./host-index.ts";
import { type CompiledStatics, compileStatics, createSharedParts } from "./statics.ts";

/** A rule set, indexed by host. */
export interface CompiledRules {
  readonly epoch: number;
  readonly revision: number;
  /** By name, in no particular order. */
  readonly rollouts: ReadonlyMap<string, CompiledRollout>;
  /** Rollouts of which at most one governs a request. */
  readonly routing: HostIndex;
  /** Rollouts that only set tags: any number of them may match a request. */
  readonly toggles: HostIndex;
  /** Lower-case names of all headers that some rule reads; the same set as long as these names are the same. */
  readonly headers: ReadonlySet<string>;
  /** How many rollouts read each of these headers. */
  readonly headerReaders: ReadonlyMap<string, number>;
  /** True when the shares that ask for it are sent home. */
  readonly unwatched: boolean;
}

/** What of a rule set differs from the one in force. */
export interface RulesChange {
  readonly epoch: number;
  readonly revision: number;
  /** New and changed rollouts by name. */
  readonly changed: ReadonlyMap<string, { readonly statics: CompiledStatics; readonly live: LiveRule }>;
  /** Names of rollouts that are gone. */
  readonly removed: Iterable<string>;
}

/** Rules without any rollout: stable for all. */
export const NO_RULES: CompiledRules = {
  epoch: 0,
  revision: 0,
  rollouts: new Map(),
  routing: NO_HOSTS,
  toggles: NO_HOSTS,
  headers: new Set(),
  headerReaders: new Map(),
  unwatched: false,
};

/** Compiles a rule set whole; `unwatched` sends the shares home that ask for it. */
export function compile({ epoch, revision, rollouts }: ReadyRuleSet, { unwatched = false }: { unwatched?: boolean } = {}): CompiledRules {
  const changed = new Map<string, { statics: CompiledStatics; live: LiveRule }>();
  const shared = createSharedParts();
  for (const [name, { rules, live }] of Object.entries(rollouts)) changed.set(name, { statics: compileStatics(rules, shared), live });
  return recompile({ ...NO_RULES, unwatched }, { epoch, revision, changed, removed: [] });
}

/**
 * The rules after a change: the same as those that a compilation of the whole would give. What did not change is the same
 * object as before, and only the hosts of changed rollouts are sorted anew, so that the cost follows the change.
 */
export function recompile(before: CompiledRules, { epoch, revision, changed, removed }: RulesChange): CompiledRules {
  const rollouts = new Map(before.rollouts);
  const gone: CompiledRollout[] = [];
  const come: CompiledRollout[] = [];
  for (const name of removed) {
    const old = rollouts.get(name);
    if (old === undefined || changed.has(name)) continue;
    rollouts.delete(name);
    gone.push(old);
  }
  for (const [name, { statics, live }] of changed) {
    const old = rollouts.get(name);
    if (old !== undefined && old.statics === statics && isSameLive(old.live, live)) continue;
    if (old !== undefined) gone.push(old);
    const next = compileRollout({ name, statics, live, unwatched: before.unwatched });
    rollouts.set(name, next);
    come.push(next);
  }
  const { headers, headerReaders } = countHeaders(before, gone, come);
  const routing = reindex(before.routing, gone.filter(routes), come.filter(routes));
  const toggles = reindex(before.toggles, gone.filter(setsTagsOnly), come.filter(setsTagsOnly));
  return { epoch, revision, rollouts, routing, toggles, headers, headerReaders, unwatched: before.unwatched };
}

/** The same rules with shares at home, or back from there. */
export function withUnwatched(before: CompiledRules, unwatched: boolean): CompiledRules {
  if (before.unwatched === unwatched) return before;
  const rollouts = new Map(before.rollouts);
  const next = new Map<CompiledRollout, CompiledRollout>();
  for (const old of before.rollouts.values()) {
    if (old.live.whenUnwatched !== "stable") continue;
    const rollout = compileRollout({ ...old, unwatched });
    next.set(old, rollout);
    rollouts.set(old.name, rollout);
  }
  return { ...before, unwatched, rollouts, routing: withOthers(before.routing, next), toggles: withOthers(before.toggles, next) };
}

const setsTagsOnly = ({ variants }: CompiledRollout): boolean => isTagOnly(variants);
const routes = ({ variants }: CompiledRollout): boolean => !isTagOnly(variants);

/** Order of rollouts by name, in code units: the same in every locale. */
export const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

type Rollouts = readonly CompiledRollout[];

function countHeaders(before: CompiledRules, gone: Rollouts, come: Rollouts): Pick<CompiledRules, "headers" | "headerReaders"> {
  const headerReaders = new Map(before.headerReaders);
  const count = (rollouts: Rollouts, by: 1 | -1): void => {
    for (const { statics } of rollouts)
      for (const header of statics.headers) headerReaders.set(header, (headerReaders.get(header) ?? 0) + by);
  };
  count(gone, -1);
  count(come, 1);
  for (const [header, readers] of headerReaders) if (readers === 0) headerReaders.delete(header);
  const isSame = headerReaders.size === before.headers.size && [...headerReaders.keys()].every((header) => before.headers.has(header));
  return { headers: isSame ? before.headers : new Set(headerReaders.keys()), headerReaders };
}

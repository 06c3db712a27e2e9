import { isTagOnly } from "../../contract/rollout.ts";
import type { LiveRule, ReadyRuleSet } from "../../contract/rules.ts";
import { type CompiledRollout, compileRollout, isSameLive } from "./compiled-rollout.ts";
import { type HostIndex, NO_HOSTS, reindex } from "./host-index.ts";
import { type Kills, NO_KILLS } from "./kills.ts";
import { compileSegments, type Segments } from "./segments.ts";
import { type CompiledStatics, compileStatics, createSharedParts } from "./statics.ts";
import { Table } from "./table.ts";

/** A rule set, indexed by host. */
export interface CompiledRules {
  readonly epoch: number;
  readonly revision: number;
  readonly rollouts: Table<CompiledRollout>;
  /** Rollouts of which at most one governs a request. */
  readonly routing: HostIndex;
  /** Rollouts that only set tags: any number of them may match a request. */
  readonly toggles: HostIndex;
  /** Lower-case names of all headers that some rule reads; the same set as long as these names are the same. */
  readonly headers: ReadonlySet<string>;
  /** How many rollouts read each of these headers. */
  readonly headerReaders: Table<number>;
  /** Asked for by name when a request comes, so that rollouts need not know them. */
  readonly segments: Segments;
  /** How many rollouts ask for the mix of their users. */
  readonly mixed: number;
  /** True when the shares that ask for it are at home, so that their thresholds do not count. */
  readonly unwatched: boolean;
  /** Whom operators switched off. */
  readonly kills: Kills;
}

/** What of a rule set differs from the one in force. */
export interface RulesChange {
  readonly epoch: number;
  readonly revision: number;
  /** New and changed rollouts by name. */
  readonly changed: ReadonlyMap<string, { readonly statics: CompiledStatics; readonly live: LiveRule }>;
  /** Names of rollouts that are gone. */
  readonly removed: Iterable<string>;
  /** All segments, where some differ. */
  readonly segments?: Segments | undefined;
}

/** Rules without any rollout: stable for all. */
export const NO_RULES: CompiledRules = {
  epoch: 0,
  revision: 0,
  rollouts: Table.empty(),
  routing: NO_HOSTS,
  toggles: NO_HOSTS,
  headers: new Set(),
  headerReaders: Table.empty(),
  segments: new Map(),
  mixed: 0,
  unwatched: false,
  kills: NO_KILLS,
};

/** Compiles a rule set whole; `unwatched` sends the shares home that ask for it. */
export function compile(ruleSet: ReadyRuleSet, { unwatched = false }: { unwatched?: boolean } = {}): CompiledRules {
  const { epoch, revision, rollouts, segments = {} } = ruleSet;
  const changed = new Map<string, { statics: CompiledStatics; live: LiveRule }>();
  const shared = createSharedParts();
  for (const [name, { rules, live }] of Object.entries(rollouts)) changed.set(name, { statics: compileStatics(rules, shared), live });
  return recompile({ ...NO_RULES, unwatched }, { epoch, revision, changed, removed: [], segments: compileSegments(segments) });
}

/**
 * The rules after a change: the same as those that a compilation of the whole would give. What did not change is the same
 * object as before, and only the hosts of changed rollouts are sorted anew, so that the cost follows the change.
 */
export function recompile(before: CompiledRules, change: RulesChange): CompiledRules {
  const { epoch, revision, changed, removed, segments = before.segments } = change;
  const next = new Map<string, CompiledRollout | undefined>();
  const gone: CompiledRollout[] = [];
  const come: CompiledRollout[] = [];
  for (const name of removed) {
    const old = before.rollouts.get(name);
    if (old === undefined || changed.has(name) || next.has(name)) continue;
    next.set(name, undefined);
    gone.push(old);
  }
  for (const [name, { statics, live }] of changed) {
    const old = before.rollouts.get(name);
    if (old !== undefined && old.statics === statics && isSameLive(old.live, live)) continue;
    if (old !== undefined) gone.push(old);
    const rollout = compileRollout(name, statics, live);
    next.set(name, rollout);
    come.push(rollout);
  }
  const rollouts = before.rollouts.with(next);
  const mixed = before.mixed - mixedAmong(gone) + mixedAmong(come);
  const routing = reindex(before.routing, gone.filter(routes), come.filter(routes));
  const toggles = reindex(before.toggles, gone.filter(setsTagsOnly), come.filter(setsTagsOnly));
  const headers = countHeaders(before, readersOf(gone, before.segments), readersOf(come, segments));
  return { ...before, epoch, revision, rollouts, mixed, segments, routing, toggles, ...headers };
}

/** The same rules with shares at home, or back from there. */
export const withUnwatched = (before: CompiledRules, unwatched: boolean): CompiledRules =>
  before.unwatched === unwatched ? before : { ...before, unwatched };

/** The same rules with everyone of one rollout on stable, targets too, until a rule of another run takes its place. */
export function withStopped(before: CompiledRules, name: string): CompiledRules {
  const old = before.rollouts.get(name);
  if (old === undefined || old.off) return before;
  const stopped: CompiledRollout = { ...old, off: true, isStopped: true };
  const index = setsTagsOnly(old) ? "toggles" : "routing";
  return {
    ...before,
    rollouts: before.rollouts.with(new Map([[name, stopped]])),
    [index]: reindex(before[index], [old], [stopped]),
  };
}

/** Order of rollouts by name, in code units: the same in every locale. */
export const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

const setsTagsOnly = ({ variants }: CompiledRollout): boolean => isTagOnly(variants);
const routes = ({ variants }: CompiledRollout): boolean => !isTagOnly(variants);

type Rollouts = readonly CompiledRollout[];

const mixedAmong = (rollouts: Rollouts): number => rollouts.filter(({ statics }) => statics.mix !== undefined).length;

type Readers = readonly Pick<CompiledStatics, "headers">[];

/** What reads headers; segments are few, so that all of them may count as gone and come again. */
const readersOf = (rollouts: Rollouts, segments: Segments): Readers => [...rollouts.map(({ statics }) => statics), ...segments.values()];

function countHeaders(before: CompiledRules, gone: Readers, come: Readers): Pick<CompiledRules, "headers" | "headerReaders"> {
  const readers = new Map<string, number>();
  const count = (all: Readers, by: 1 | -1): void => {
    for (const { headers } of all)
      for (const header of headers) readers.set(header, (readers.get(header) ?? before.headerReaders.get(header) ?? 0) + by);
  };
  count(gone, -1);
  count(come, 1);
  const isSame = [...readers].every(([header, number]) => number > 0 === before.headers.has(header));
  const headerReaders = before.headerReaders.with(
    new Map([...readers].map(([header, number]) => [header, number > 0 ? number : undefined])),
  );
  return { headers: isSame ? before.headers : new Set(headerReaders.keys()), headerReaders };
}

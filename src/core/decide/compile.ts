import type { PathMatch } from "../../contract/conditions.ts";
import type { LiveRule, ReadyRuleSet } from "../../contract/rules.ts";
import { thresholdOf } from "./bucket.ts";
import { type Kills, NO_KILLS } from "./kills.ts";
import { bySpecificity } from "./match.ts";
import { type CompiledStatics, compileStatics, createSharedParts } from "./statics.ts";
import { Table } from "./table.ts";

/** One rollout, ready to decide with: nothing is parsed per request. */
export interface CompiledRollout extends Pick<CompiledStatics, "seed" | "listsUsers" | "keys" | "targets" | "variants"> {
  readonly name: string;
  readonly run: number;
  readonly off: boolean;
  /** 0…2³². */
  readonly threshold: number;
  /** What it was compiled from. */
  readonly statics: CompiledStatics;
  readonly live: LiveRule;
}

/** A path of a host, and who governs it. */
export interface CompiledRoute {
  readonly path: PathMatch;
  readonly rollout: CompiledRollout;
}

/** A rule set, indexed by host, so that rollouts of other hosts cost nothing; the routes of a host stand most specific first. */
export interface CompiledRules {
  readonly epoch: number;
  readonly revision: number;
  readonly rollouts: Table<CompiledRollout>;
  readonly byHost: Table<readonly CompiledRoute[]>;
  readonly anyHost: readonly CompiledRoute[];
  /** How many hosts of the index stand for all below one, as `*.example.com`. */
  readonly suffixHosts: number;
  /** Lower-case names of all headers that some rule reads; the same set as long as these names are the same. */
  readonly headers: ReadonlySet<string>;
  /** How many rollouts read each of these headers. */
  readonly headerReaders: Table<number>;
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
}

/** Rules without any rollout: stable for all. */
export const NO_RULES: CompiledRules = {
  epoch: 0,
  revision: 0,
  rollouts: Table.empty(),
  byHost: Table.empty(),
  anyHost: [],
  suffixHosts: 0,
  headers: new Set(),
  headerReaders: Table.empty(),
  mixed: 0,
  unwatched: false,
  kills: NO_KILLS,
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
  return { ...before, epoch, revision, rollouts, mixed, ...countHeaders(before, gone, come), ...indexHosts(before, gone, come) };
}

/** The same rules with shares at home, or back from there. */
export const withUnwatched = (before: CompiledRules, unwatched: boolean): CompiledRules =>
  before.unwatched === unwatched ? before : { ...before, unwatched };

/** Order of rollouts by name, in code units: the same in every locale. */
export const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

const isSameLive = (a: LiveRule, b: LiveRule): boolean =>
  a.run === b.run && a.shareBp === b.shareBp && a.off === b.off && a.whenUnwatched === b.whenUnwatched;

const compileRollout = (name: string, statics: CompiledStatics, live: LiveRule): CompiledRollout => ({
  name,
  run: live.run,
  off: live.off,
  seed: statics.seed,
  listsUsers: statics.listsUsers,
  threshold: thresholdOf(live.shareBp),
  keys: statics.keys,
  targets: statics.targets,
  variants: statics.variants,
  statics,
  live,
});

type Rollouts = readonly CompiledRollout[];

const mixedAmong = (rollouts: Rollouts): number => rollouts.filter(({ statics }) => statics.mix !== undefined).length;

function countHeaders(before: CompiledRules, gone: Rollouts, come: Rollouts): Pick<CompiledRules, "headers" | "headerReaders"> {
  const readers = new Map<string, number>();
  const count = (rollouts: Rollouts, by: 1 | -1): void => {
    for (const { statics } of rollouts)
      for (const header of statics.headers) readers.set(header, (readers.get(header) ?? before.headerReaders.get(header) ?? 0) + by);
  };
  count(gone, -1);
  count(come, 1);
  const isSame = [...readers].every(([header, number]) => number > 0 === before.headers.has(header));
  const headerReaders = before.headerReaders.with(
    new Map([...readers].map(([header, number]) => [header, number > 0 ? number : undefined])),
  );
  return { headers: isSame ? before.headers : new Set(headerReaders.keys()), headerReaders };
}

function indexHosts(before: CompiledRules, gone: Rollouts, come: Rollouts): Pick<CompiledRules, "byHost" | "anyHost" | "suffixHosts"> {
  const touched = new Map<string, CompiledRoute[]>();
  for (const { statics } of gone) for (const host of statics.hosts) touched.set(host, []);
  for (const rollout of come) {
    for (const host of rollout.statics.hosts) {
      const routes = touched.get(host) ?? [];
      touched.set(host, routes);
      for (const path of rollout.statics.paths) routes.push({ path, rollout });
    }
  }
  const left = new Set(gone);
  let { suffixHosts, anyHost } = before;
  const next = new Map<string, readonly CompiledRoute[] | undefined>();
  for (const [host, routes] of touched) {
    const old = host === ANY ? before.anyHost : before.byHost.get(host);
    for (const route of old ?? []) if (!left.has(route.rollout)) routes.push(route);
    // Sorting is stable, so the paths of one rollout that are equally specific stay in file order.
    if (routes.length > 1) routes.sort(bySpecificityOfRoutes);
    if (host === ANY) anyHost = routes;
    else next.set(host, routes.length > 0 ? routes : undefined);
    if (host.startsWith("*.")) suffixHosts += Number(routes.length > 0) - Number(old !== undefined);
  }
  return { byHost: before.byHost.with(next), anyHost, suffixHosts };
}

const bySpecificityOfRoutes = (a: CompiledRoute, b: CompiledRoute): number =>
  bySpecificity(a.path, b.path) ||
  b.rollout.statics.narrowness - a.rollout.statics.narrowness ||
  compareNames(a.rollout.name, b.rollout.name);

/** The host of rules that hold for every host. */
const ANY = "*";

const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

import type { PathMatch } from "../../contract/conditions.ts";
import type { LiveRule, ReadyRuleSet } from "../../contract/rules.ts";
import { thresholdOf } from "./bucket.ts";
import { bySpecificity } from "./match.ts";
import { type CompiledStatics, compileStatics, createSharedParts } from "./statics.ts";
import type { Reason } from "./types.ts";

/** One rollout, ready to decide with: nothing is parsed per request. */
export interface CompiledRollout extends Pick<CompiledStatics, "seed" | "listsUsers" | "keys" | "targets" | "variants"> {
  readonly name: string;
  readonly run: number;
  readonly off: boolean;
  /** 0…2³². */
  readonly threshold: number;
  /** Reason given to keys that the share decides. */
  readonly shareReason: Extract<Reason, "share" | "unwatched">;
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
  /** By name, in no particular order. */
  readonly rollouts: ReadonlyMap<string, CompiledRollout>;
  readonly byHost: ReadonlyMap<string, readonly CompiledRoute[]>;
  readonly anyHost: readonly CompiledRoute[];
  /** How many hosts of the index stand for all below one, as `*.example.com`. */
  readonly suffixHosts: number;
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
  byHost: new Map(),
  anyHost: [],
  suffixHosts: 0,
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
  return { ...before, epoch, revision, rollouts, headers, headerReaders, ...indexHosts(before, gone, come) };
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
  const moved = (routes: readonly CompiledRoute[]): readonly CompiledRoute[] =>
    routes.map((route) => ({ path: route.path, rollout: next.get(route.rollout) ?? route.rollout }));
  const byHost = new Map<string, readonly CompiledRoute[]>();
  for (const [host, routes] of before.byHost) byHost.set(host, moved(routes));
  return { ...before, unwatched, rollouts, byHost, anyHost: moved(before.anyHost) };
}

/** Order of rollouts by name, in code units: the same in every locale. */
export const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

const isSameLive = (a: LiveRule, b: LiveRule): boolean =>
  a.run === b.run && a.shareBp === b.shareBp && a.off === b.off && a.whenUnwatched === b.whenUnwatched;

interface RolloutParts {
  readonly name: string;
  readonly statics: CompiledStatics;
  readonly live: LiveRule;
  readonly unwatched: boolean;
}

function compileRollout({ name, statics, live, unwatched }: RolloutParts): CompiledRollout {
  const sentHome = unwatched && live.whenUnwatched === "stable";
  return {
    name,
    run: live.run,
    off: live.off,
    seed: statics.seed,
    listsUsers: statics.listsUsers,
    threshold: sentHome ? 0 : thresholdOf(live.shareBp),
    shareReason: sentHome ? "unwatched" : "share",
    keys: statics.keys,
    targets: statics.targets,
    variants: statics.variants,
    statics,
    live,
  };
}

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

function indexHosts(before: CompiledRules, gone: Rollouts, come: Rollouts): Pick<CompiledRules, "byHost" | "anyHost" | "suffixHosts"> {
  const byHost = new Map(before.byHost);
  byHost.set(ANY, before.anyHost);
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
  let { suffixHosts } = before;
  for (const [host, routes] of touched) {
    const wasThere = byHost.has(host);
    for (const route of byHost.get(host) ?? []) if (!left.has(route.rollout)) routes.push(route);
    // Sorting is stable, so the paths of one rollout that are equally specific stay in file order.
    if (routes.length > 1) routes.sort(bySpecificityOfRoutes);
    if (routes.length > 0) byHost.set(host, routes);
    else byHost.delete(host);
    if (host.startsWith("*.")) suffixHosts += Number(byHost.has(host)) - Number(wasThere);
  }
  const anyHost = byHost.get(ANY) ?? [];
  byHost.delete(ANY);
  return { byHost, anyHost, suffixHosts };
}

const bySpecificityOfRoutes = (a: CompiledRoute, b: CompiledRoute): number =>
  bySpecificity(a.path, b.path) ||
  b.rollout.statics.narrowness - a.rollout.statics.narrowness ||
  compareNames(a.rollout.name, b.rollout.name);

/** The host of rules that hold for every host. */
const ANY = "*";

const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

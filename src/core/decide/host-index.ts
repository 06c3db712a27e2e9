import type { PathMatch } from "../../contract/conditions.ts";
import type { CompiledRollout } from "./compiled-rollout.ts";
import { bySpecificity } from "./match.ts";

/** A path of a host, and the rollout that matches there. */
export interface CompiledRoute {
  readonly path: PathMatch;
  readonly rollout: CompiledRollout;
}

/** Rollouts by host, so that those of other hosts cost nothing; the routes of a host stand most specific first. */
export interface HostIndex {
  readonly byHost: ReadonlyMap<string, readonly CompiledRoute[]>;
  readonly anyHost: readonly CompiledRoute[];
  /** How many hosts of the index stand for all below one, as `*.example.com`. */
  readonly suffixHosts: number;
}

/** An index of no rollout. */
export const NO_HOSTS: HostIndex = { byHost: new Map(), anyHost: [], suffixHosts: 0 };

type Rollouts = readonly CompiledRollout[];

/** The host of rules that hold for every host. */
const ANY = "*";

/** The index after some rollouts went and others came: only their hosts are sorted anew. */
export function reindex(before: HostIndex, gone: Rollouts, come: Rollouts): HostIndex {
  if (gone.length === 0 && come.length === 0) return before;
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

/** The same index with other rollouts in the places of these. */
export function withOthers({ byHost, anyHost, suffixHosts }: HostIndex, next: ReadonlyMap<CompiledRollout, CompiledRollout>): HostIndex {
  const moved = (routes: readonly CompiledRoute[]): readonly CompiledRoute[] =>
    routes.map((route) => ({ path: route.path, rollout: next.get(route.rollout) ?? route.rollout }));
  return { byHost: new Map([...byHost].map(([host, routes]) => [host, moved(routes)])), anyHost: moved(anyHost), suffixHosts };
}

const bySpecificityOfRoutes = (a: CompiledRoute, b: CompiledRoute): number =>
  bySpecificity(a.path, b.path) ||
  b.rollout.statics.narrowness - a.rollout.statics.narrowness ||
  compareNames(a.rollout.name, b.rollout.name);

const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

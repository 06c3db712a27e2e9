import type { CompiledRollout } from "./compiled-rollout.ts";
import { hostName } from "./match.ts";
import { addRoutes, type CompiledRoute, compareNames, firstRoute, type HostRoutes, NO_ROUTES, routesOf } from "./routes.ts";
import { Table } from "./table.ts";
import type { RequestFacts } from "./types.ts";

/** Rollouts by host, so that those of other hosts cost nothing. */
export interface HostIndex {
  readonly byHost: Table<HostRoutes>;
  readonly anyHost: HostRoutes;
  /** How many hosts of the index stand for all below one, as `*.example.com`. */
  readonly suffixHosts: number;
}

/** An index of no rollout. */
export const NO_HOSTS: HostIndex = { byHost: Table.empty(), anyHost: NO_ROUTES, suffixHosts: 0 };

type Rollouts = readonly CompiledRollout[];

/** The host of rules that hold for every host. */
const ANY = "*";
/** A client's host may be longer than any suffix in a rule. */
const LONGEST_SUFFIX = 255;

/** Whether an index holds no rollout at all. */
export const isEmpty = ({ byHost, anyHost }: HostIndex): boolean => byHost.size === 0 && anyHost.all.length === 0;

/** The most specific rollout that a request matches: of its own host, then of the longest `*.suffix`, then of `*`. */
export function firstRollout(index: HostIndex, request: RequestFacts): CompiledRollout | undefined {
  const own = ownRoutes(index, request);
  const found = own === undefined ? undefined : firstRoute(own, request);
  if (found !== undefined) return found.rollout;
  if (index.suffixHosts > 0) {
    const host = hostName(request.host);
    for (let dot = firstDot(host); dot !== -1; dot = host.indexOf(".", dot + 1)) {
      const routes = index.byHost.get(`*${host.slice(dot)}`);
      const below = routes === undefined ? undefined : firstRoute(routes, request);
      if (below !== undefined) return below.rollout;
    }
  }
  return firstRoute(index.anyHost, request)?.rollout;
}

/** All rollouts that a request matches, each once, in the order of their names. */
export function allRollouts(index: HostIndex, request: RequestFacts): readonly CompiledRollout[] {
  const routes: CompiledRoute[] = [];
  addRoutes(ownRoutes(index, request) ?? NO_ROUTES, request, routes);
  if (index.suffixHosts > 0) {
    const host = hostName(request.host);
    for (let dot = firstDot(host); dot !== -1; dot = host.indexOf(".", dot + 1))
      addRoutes(index.byHost.get(`*${host.slice(dot)}`) ?? NO_ROUTES, request, routes);
  }
  addRoutes(index.anyHost, request, routes);
  if (routes.length < 2) return routes.map(({ rollout }) => rollout);
  return [...new Set(routes.map(({ rollout }) => rollout))].sort((a, b) => compareNames(a.name, b.name));
}

/** Nearly all hosts come as rules name them, and then there is nothing to write anew. */
function ownRoutes({ byHost }: HostIndex, { host }: RequestFacts): HostRoutes | undefined {
  return byHost.get(host) ?? byHost.get(hostName(host));
}

/** Something must stand before the dot, and what stands behind it may be no longer than a rule's. */
const firstDot = (host: string): number => host.indexOf(".", Math.max(1, host.length - LONGEST_SUFFIX));

/** The index after some rollouts went and others came: only their hosts are sorted anew. */
export function reindex(before: HostIndex, gone: Rollouts, come: Rollouts): HostIndex {
  if (gone.length === 0 && come.length === 0) return before;
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
  const next = new Map<string, HostRoutes | undefined>();
  for (const [host, routes] of touched) {
    const old = host === ANY ? before.anyHost : before.byHost.get(host);
    for (const route of old?.all ?? []) if (!left.has(route.rollout)) routes.push(route);
    if (host === ANY) anyHost = routesOf(routes);
    else next.set(host, routes.length > 0 ? routesOf(routes) : undefined);
    if (host.startsWith("*.")) suffixHosts += Number(routes.length > 0) - Number(old !== undefined);
  }
  return { byHost: before.byHost.with(next), anyHost, suffixHosts };
}

import type { PathMatch } from "../../contract/conditions.ts";
import type { CompiledRollout } from "./compiled-rollout.ts";
import { bySpecificity, pathMatches } from "./match.ts";
import { NOBODY, type RequestFacts } from "./types.ts";

/** A path of a host, and the rollout that matches there. */
export interface CompiledRoute {
  readonly path: PathMatch;
  readonly rollout: CompiledRollout;
}

/** The routes of one host. */
export interface HostRoutes {
  /** Most specific first. */
  readonly all: readonly CompiledRoute[];
  /** Undefined where there are so few that walking through them is faster. */
  readonly byPath: PathTable | undefined;
}

/** Routes by what their paths begin with; each list in the order of all. */
interface PathTable {
  readonly exact: ReadonlyMap<string, readonly CompiledRoute[]>;
  readonly templates: readonly CompiledRoute[];
  readonly prefixes: ReadonlyMap<string, readonly CompiledRoute[]>;
  /** Length of the longest prefix: a client's path may be far longer. */
  readonly longest: number;
}

/** No routes. */
export const NO_ROUTES: HostRoutes = { all: [], byPath: undefined };

const FEW = 8;

/** Puts the routes of a host in order. */
export function routesOf(routes: readonly CompiledRoute[]): HostRoutes {
  // Sorting is stable, so the paths of one rollout that are equally specific stay in file order.
  const all = routes.length > 1 ? routes.toSorted(bySpecificityOfRoutes) : routes;
  return { all, byPath: all.length > FEW ? tableOf(all) : undefined };
}

const bySpecificityOfRoutes = (a: CompiledRoute, b: CompiledRoute): number =>
  bySpecificity(a.path, b.path) ||
  b.rollout.statics.narrowness - a.rollout.statics.narrowness ||
  compareNames(a.rollout.name, b.rollout.name);

export const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function tableOf(all: readonly CompiledRoute[]): PathTable {
  const exact = new Map<string, CompiledRoute[]>();
  const prefixes = new Map<string, CompiledRoute[]>();
  const templates: CompiledRoute[] = [];
  const add = (lists: Map<string, CompiledRoute[]>, path: string, route: CompiledRoute): void => {
    const list = lists.get(path);
    if (list === undefined) lists.set(path, [route]);
    else list.push(route);
  };
  for (const route of all) {
    if ("exact" in route.path) add(exact, route.path.exact, route);
    else if ("prefix" in route.path) add(prefixes, route.path.prefix, route);
    else templates.push(route);
  }
  let longest = 0;
  for (const prefix of prefixes.keys()) longest = Math.max(longest, prefix.length);
  return { exact, templates, prefixes, longest };
}

/** The first route that matches a path, without its query. */
export function firstRoute({ all, byPath }: HostRoutes, path: string, request: RequestFacts): CompiledRoute | undefined {
  if (byPath === undefined) return firstIn(all, path, request);
  const { exact, templates, prefixes, longest } = byPath;
  const found = firstIn(exact.get(path), path, request) ?? firstIn(templates, path, request);
  if (found !== undefined) return found;
  for (let end = Math.min(path.length, longest); end > 0; end = shorter(path, end)) {
    const below = firstIn(prefixes.get(path.slice(0, end)), path, request);
    if (below !== undefined) return below;
  }
  return path.startsWith("/") ? undefined : firstIn(prefixes.get("/"), path, request);
}

/** Every route that matches a path is added to the list. */
export function addRoutes({ all, byPath }: HostRoutes, path: string, request: RequestFacts, found: CompiledRoute[]): void {
  if (byPath === undefined) {
    addFrom(all, path, request, found);
    return;
  }
  const { exact, templates, prefixes, longest } = byPath;
  addFrom(exact.get(path), path, request, found);
  addFrom(templates, path, request, found);
  for (let end = Math.min(path.length, longest); end > 0; end = shorter(path, end))
    addFrom(prefixes.get(path.slice(0, end)), path, request, found);
  if (!path.startsWith("/")) addFrom(prefixes.get("/"), path, request, found);
}

type Routes = readonly CompiledRoute[] | undefined;

function firstIn(routes: Routes, path: string, request: RequestFacts): CompiledRoute | undefined {
  if (routes !== undefined) for (const route of routes) if (matches(route, path, request)) return route;
  return undefined;
}

function addFrom(routes: Routes, path: string, request: RequestFacts, found: CompiledRoute[]): void {
  if (routes !== undefined) for (const route of routes) if (matches(route, path, request)) found.push(route);
}

/** Where the next shorter prefix ends that may cover the path: before a slash, or behind the one before. */
const shorter = (path: string, end: number): number => (path.charCodeAt(end - 1) === SLASH ? end - 1 : path.lastIndexOf("/", end - 1) + 1);

const SLASH = 47;

function matches({ path: wanted, rollout: { statics } }: CompiledRoute, path: string, request: RequestFacts): boolean {
  return pathMatches(wanted, path) && (statics.narrower === undefined || statics.narrower(request, NOBODY));
}

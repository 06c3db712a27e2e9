import type { PathMatch } from "../../contract/conditions.ts";
import type { CompiledRollout } from "./compiled-rollout.ts";
import { bySpecificity, pathEnd, pathMatches } from "./match.ts";
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
  /** Lengths of the longest exact path and of the longest prefix: a client's path may be far longer, and cutting texts is what costs. */
  readonly longestExact: number;
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
  return { exact, templates, prefixes, longestExact: longestOf(exact), longest: longestOf(prefixes) };
}

function longestOf(paths: ReadonlyMap<string, unknown>): number {
  let longest = 0;
  for (const path of paths.keys()) longest = Math.max(longest, path.length);
  return longest;
}

/** Routes of a path letter by letter, without its query. */
function exactly({ exact, longestExact }: PathTable, path: string): Routes {
  if (longestExact === 0) return undefined;
  const end = pathEnd(path);
  return end > longestExact ? undefined : exact.get(path.slice(0, end));
}

/** The first route that a request matches. */
export function firstRoute({ all, byPath }: HostRoutes, request: RequestFacts): CompiledRoute | undefined {
  if (byPath === undefined) return firstIn(all, request);
  const { templates, prefixes, longest } = byPath;
  const { path } = request;
  const found = firstIn(exactly(byPath, path), request) ?? firstIn(templates, request);
  if (found !== undefined) return found;
  for (let to = Math.min(pathEnd(path), longest); to > 0; to = shorter(path, to)) {
    const below = firstIn(prefixes.get(path.slice(0, to)), request);
    if (below !== undefined) return below;
  }
  return path.startsWith("/") ? undefined : firstIn(prefixes.get("/"), request);
}

/** Adds every route that a request matches. */
export function addRoutes({ all, byPath }: HostRoutes, request: RequestFacts, found: CompiledRoute[]): void {
  if (byPath === undefined) {
    addFrom(all, request, found);
    return;
  }
  const { templates, prefixes, longest } = byPath;
  const { path } = request;
  addFrom(exactly(byPath, path), request, found);
  addFrom(templates, request, found);
  for (let to = Math.min(pathEnd(path), longest); to > 0; to = shorter(path, to)) addFrom(prefixes.get(path.slice(0, to)), request, found);
  if (!path.startsWith("/")) addFrom(prefixes.get("/"), request, found);
}

type Routes = readonly CompiledRoute[] | undefined;

function firstIn(routes: Routes, request: RequestFacts): CompiledRoute | undefined {
  if (routes !== undefined) for (const route of routes) if (matches(route, request)) return route;
  return undefined;
}

function addFrom(routes: Routes, request: RequestFacts, found: CompiledRoute[]): void {
  if (routes !== undefined) for (const route of routes) if (matches(route, request)) found.push(route);
}

/** Where the next shorter prefix ends that may cover the path: before a slash, or behind the one before. */
const shorter = (path: string, end: number): number => (path.charCodeAt(end - 1) === SLASH ? end - 1 : path.lastIndexOf("/", end - 1) + 1);

const SLASH = 47;

function matches({ path: wanted, rollout: { statics } }: CompiledRoute, request: RequestFacts): boolean {
  return pathMatches(wanted, request.path) && (statics.narrower === undefined || statics.narrower(request, NOBODY));
}

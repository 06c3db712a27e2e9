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

/** A request with the end of its path, which is looked for once. */
export interface Asked {
  readonly request: RequestFacts;
  readonly path: string;
  readonly end: number;
}

/** The first route that a request matches. */
export function firstRoute({ all, byPath }: HostRoutes, asked: Asked): CompiledRoute | undefined {
  if (byPath === undefined) return firstIn(all, asked);
  const { exact, templates, prefixes, longest } = byPath;
  const { path, end } = asked;
  const found = firstIn(exact.get(path.slice(0, end)), asked) ?? firstIn(templates, asked);
  if (found !== undefined) return found;
  for (let to = Math.min(end, longest); to > 0; to = shorter(path, to)) {
    const below = firstIn(prefixes.get(path.slice(0, to)), asked);
    if (below !== undefined) return below;
  }
  return path.startsWith("/") ? undefined : firstIn(prefixes.get("/"), asked);
}

/** Adds every route that a request matches. */
export function addRoutes({ all, byPath }: HostRoutes, asked: Asked, found: CompiledRoute[]): void {
  if (byPath === undefined) {
    addFrom(all, asked, found);
    return;
  }
  const { exact, templates, prefixes, longest } = byPath;
  const { path, end } = asked;
  addFrom(exact.get(path.slice(0, end)), asked, found);
  addFrom(templates, asked, found);
  for (let to = Math.min(end, longest); to > 0; to = shorter(path, to)) addFrom(prefixes.get(path.slice(0, to)), asked, found);
  if (!path.startsWith("/")) addFrom(prefixes.get("/"), asked, found);
}

type Routes = readonly CompiledRoute[] | undefined;

function firstIn(routes: Routes, asked: Asked): CompiledRoute | undefined {
  if (routes !== undefined) for (const route of routes) if (matches(route, asked)) return route;
  return undefined;
}

function addFrom(routes: Routes, asked: Asked, found: CompiledRoute[]): void {
  if (routes !== undefined) for (const route of routes) if (matches(route, asked)) found.push(route);
}

/** Where the next shorter prefix ends that may cover the path: before a slash, or behind the one before. */
const shorter = (path: string, end: number): number => (path.charCodeAt(end - 1) === SLASH ? end - 1 : path.lastIndexOf("/", end - 1) + 1);

const SLASH = 47;

function matches({ path: wanted, rollout: { statics } }: CompiledRoute, { request, path, end }: Asked): boolean {
  return pathMatches(wanted, path, end) && (statics.narrower === undefined || statics.narrower(request, NOBODY));
}

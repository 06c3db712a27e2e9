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

/**
 * Routes by the hash of their text: a part of a client's path is hashed in place, where cutting it out and hashing that text would cost
 * twice as much. Each list in the order of all; that the text is the same is seen when a route is asked.
 */
interface PathTable {
  readonly exact: ReadonlyMap<number, readonly CompiledRoute[]>;
  readonly templates: readonly CompiledRoute[];
  readonly prefixes: ReadonlyMap<number, readonly CompiledRoute[]>;
  /** Lengths of the longest exact path and of the longest prefix: a client's path may be far longer. */
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
  const exact = new Map<number, CompiledRoute[]>();
  const prefixes = new Map<number, CompiledRoute[]>();
  const templates: CompiledRoute[] = [];
  let [longest, longestExact] = [0, 0];
  const add = (lists: Map<number, CompiledRoute[]>, text: string, route: CompiledRoute): number => {
    const hash = hashTo(text, text.length);
    const list = lists.get(hash);
    if (list === undefined) lists.set(hash, [route]);
    else list.push(route);
    return text.length;
  };
  for (const route of all) {
    if ("exact" in route.path) longestExact = Math.max(longestExact, add(exact, route.path.exact, route));
    else if ("prefix" in route.path) longest = Math.max(longest, add(prefixes, route.path.prefix, route));
    else templates.push(route);
  }
  return { exact, templates, prefixes, longestExact, longest };
}

/** FNV-1a of the first letters of a path, 32 bits (Fowler, Noll, Vo; here of UTF-16 units). */
function hashTo(path: string, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let index = 0; index < end; index += 1) hash = Math.imul(hash ^ path.charCodeAt(index), 0x01000193);
  return hash;
}

/** The first route that a request matches. */
export function firstRoute({ all, byPath }: HostRoutes, request: RequestFacts): CompiledRoute | undefined {
  if (byPath === undefined) return firstIn(all, request);
  const { exact, templates, prefixes, longest, longestExact } = byPath;
  const { path } = request;
  const end = endWithin(path, Math.max(longest, longestExact));
  const found = (end > longestExact ? undefined : firstIn(exact.get(hashTo(path, end)), request)) ?? firstIn(templates, request);
  if (found !== undefined) return found;
  for (let to = Math.min(end, longest); to > 0; to = shorter(path, to)) {
    const below = firstIn(prefixes.get(hashTo(path, to)), request, to);
    if (below !== undefined) return below;
  }
  return path.startsWith("/") ? undefined : firstIn(prefixes.get(ROOT), request, 1);
}

/** Adds every route that a request matches. */
export function addRoutes({ all, byPath }: HostRoutes, request: RequestFacts, found: CompiledRoute[]): void {
  if (byPath === undefined) {
    addFrom(all, request, found);
    return;
  }
  const { exact, templates, prefixes, longest, longestExact } = byPath;
  const { path } = request;
  const end = endWithin(path, Math.max(longest, longestExact));
  if (end <= longestExact) addFrom(exact.get(hashTo(path, end)), request, found);
  addFrom(templates, request, found);
  for (let to = Math.min(end, longest); to > 0; to = shorter(path, to)) addFrom(prefixes.get(hashTo(path, to)), request, found, to);
  if (!path.startsWith("/")) addFrom(prefixes.get(ROOT), request, found, 1);
}

/** Hash of the prefix that covers everything, `*` and CONNECT too. */
const ROOT = hashTo("/", 1);

/** Where the query begins, or the path ends, if that is no further than `most`; else something greater. */
function endWithin(path: string, most: number): number {
  const to = Math.min(path.length, most + 1);
  for (let index = 0; index < to; index += 1) {
    const code = path.charCodeAt(index);
    if (code === QUESTION_MARK || code === HASH) return index;
  }
  return to;
}

type Routes = readonly CompiledRoute[] | undefined;

/** Of those with a prefix of that length, if one is given: two texts may have one hash. */
function firstIn(routes: Routes, request: RequestFacts, length?: number): CompiledRoute | undefined {
  if (routes !== undefined) for (const route of routes) if (isAsked(route, length) && matches(route, request)) return route;
  return undefined;
}

function addFrom(routes: Routes, request: RequestFacts, found: CompiledRoute[], length?: number): void {
  if (routes !== undefined) for (const route of routes) if (isAsked(route, length) && matches(route, request)) found.push(route);
}

const isAsked = ({ path }: CompiledRoute, length: number | undefined): boolean =>
  length === undefined || ("prefix" in path && path.prefix.length === length);

/** Where the next shorter prefix ends that may cover the path: before a slash, or behind the one before. */
const shorter = (path: string, end: number): number => (path.charCodeAt(end - 1) === SLASH ? end - 1 : path.lastIndexOf("/", end - 1) + 1);

const HASH = 35;
const SLASH = 47;
const QUESTION_MARK = 63;

function matches({ path: wanted, rollout: { statics } }: CompiledRoute, request: RequestFacts): boolean {
  return pathMatches(wanted, request.path) && (statics.narrower === undefined || statics.narrower(request, NOBODY));
}

import type { PathMatch, ValueMatch } from "../../contract/conditions.ts";
import type { Match } from "../../contract/rollout.ts";
import { bySpecificity, hostMatches, narrownessOf, pathMatches } from "./match.ts";

/** True when some request meets both and neither is more specific, so that it would be ambiguous which rollout decides. */
export const overlaps = (a: Match, b: Match): boolean =>
  a.hosts.some((host) => b.hosts.includes(host)) &&
  somePair(a.paths, b.paths, (path, other) => bySpecificity(path, other) === 0 && pathsMeet(path, other)) &&
  narrownessOf(a) === narrownessOf(b) &&
  narrowersMeet(a, b);

/** True when `a` decides some request that both match. Where only their names tell them apart it is true both ways. */
export const takesFrom = (a: Match, b: Match): boolean =>
  narrowersMeet(a, b) &&
  somePair(a.hosts, b.hosts, (host, otherHost) => {
    const byHost = rankOfHost(host) - rankOfHost(otherHost);
    // Where the other names this host too, it is met there.
    if (byHost < 0 || (byHost > 0 && b.hosts.includes(host)) || !hostsMeet(host, otherHost)) return false;
    return somePair(a.paths, b.paths, (path, other) => {
      const byPath = bySpecificity(path, other);
      const goesFirst = byHost > 0 || byPath < 0 || (byPath === 0 && narrownessOf(a) >= narrownessOf(b));
      return goesFirst && pathsMeet(path, other);
    });
  });

function somePair<Item>(left: readonly Item[], right: readonly Item[], holds: (a: Item, b: Item) => boolean): boolean {
  return left.some((a) => right.some((b) => holds(a, b)));
}

/** `*` before nothing, a suffix by its length, a whole host before all. */
const rankOfHost = (host: string): number => (host === "*" ? 0 : host.startsWith("*.") ? host.length : Number.POSITIVE_INFINITY);

const hostsMeet = (a: string, b: string): boolean => hostMatches(a, b) || hostMatches(b, a);

/** True when some path meets both matchers. */
function pathsMeet(a: PathMatch, b: PathMatch): boolean {
  if ("exact" in a) return pathMatches(b, a.exact);
  if ("exact" in b) return pathMatches(a, b.exact);
  if ("prefix" in a) return "prefix" in b ? pathMatches(a, b.prefix) || pathMatches(b, a.prefix) : fitsUnder(b.template, a.prefix);
  return "prefix" in b ? fitsUnder(a.template, b.prefix) : unify(a.template.split("/"), b.template.split("/"));
}

/** True when some path of the template lies under the prefix. */
function fitsUnder(template: string, prefix: string): boolean {
  const [segments, wanted] = [template.split("/"), prefix.split("/")];
  if (wanted.at(-1) === "") wanted.pop();
  return wanted.length <= segments.length && unify(segments.slice(0, wanted.length), wanted);
}

const isFree = (segment: string | undefined): boolean => String(segment).startsWith("{");

const unify = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((segment, index) => isFree(segment) || isFree(b[index]) || segment === b[index]);

function narrowersMeet(a: Match, b: Match): boolean {
  const { methods } = a;
  const methodsMeet = methods === undefined || b.methods === undefined || b.methods.some((method) => methods.includes(method));
  return methodsMeet && !somePair(a.headers ?? [], b.headers ?? [], excludeEachOther);
}

/** One header cannot have one of these values and one of those; that it may come several times is nobody's intention here. */
function excludeEachOther(a: ValueMatch, b: ValueMatch): boolean {
  if (a.name !== b.name) return false;
  const [left, right] = [valuesOf(a), valuesOf(b)];
  if (left === undefined || right === undefined) return isAbsence(a) !== isAbsence(b);
  return !left.some((value) => right.includes(value));
}

const isAbsence = (match: ValueMatch): boolean => "present" in match && !match.present;

function valuesOf(match: ValueMatch): readonly string[] | undefined {
  if ("exact" in match) return [match.exact];
  return "oneOf" in match ? match.oneOf : undefined;
}

import type { PathMatch } from "../../contract/conditions.ts";
import type { Match } from "../../contract/rollout.ts";
import type { RequestFacts } from "./types.ts";

const COLON = 58;
const QUESTION_MARK = 63;
const BRACKET = 93;
const HASH = 35;
const SLASH = 47;

/** The host as rules name it: lower case, without its port; an IPv6 address keeps its brackets. */
export function hostName(authority: string): string {
  // One walk over a few letters is a third of what searching, and writing anew what is in lower case already, would cost.
  let end = authority.length;
  for (let index = 0; index < authority.length; index += 1) {
    const code = authority.charCodeAt(index);
    if (code === COLON) end = index;
    else if (code === BRACKET) end = authority.length;
    else if (code >= 0x80 || (code >= 0x41 && code <= 0x5a)) return withoutPort(authority.toLowerCase());
  }
  return end === authority.length ? authority : authority.slice(0, end);
}

function withoutPort(host: string): string {
  const colon = host.lastIndexOf(":");
  return colon > host.lastIndexOf("]") ? host.slice(0, colon) : host;
}

/** Whether a host meets a pattern of a match: itself, `*.suffix` for all below one, or `*`. */
export const hostMatches = (pattern: string, host: string): boolean =>
  pattern === "*" || pattern === host || (pattern.startsWith("*.") && host.length > pattern.length - 1 && host.endsWith(pattern.slice(1)));

/** Where the query of a path begins; its length without one. */
function pathEnd(path: string): number {
  const query = path.indexOf("?");
  const fragment = path.indexOf("#");
  if (fragment === -1) return query === -1 ? path.length : query;
  return query === -1 ? fragment : Math.min(query, fragment);
}

/** The path without its query. */
export const pathOnly = (path: string): string => path.slice(0, pathEnd(path));

/** Values of a parameter of the query, decoded, in order. */
export function queryValues(path: string, name: string): readonly string[] {
  const query = path.indexOf("?");
  if (query === -1) return [];
  const fragment = path.indexOf("#", query);
  const pairs = path.slice(query + 1, fragment === -1 ? undefined : fragment).split("&");
  return pairs.flatMap((pair) => {
    const equals = pair.indexOf("=");
    return decoded(equals === -1 ? pair : pair.slice(0, equals)) === name ? [equals === -1 ? "" : decoded(pair.slice(equals + 1))] : [];
  });
}

/** As forms encode it; what is badly encoded stays as it is. */
function decoded(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return text; // A client may send anything.
  }
}

/** Orders path matchers, negative when `a` goes first: exact ones, then templates with more fixed segments, then longer prefixes. */
export function bySpecificity(a: PathMatch, b: PathMatch): number {
  const [left, right] = [rankOf(a), rankOf(b)];
  return right.kind - left.kind || right.size - left.size;
}

function rankOf(path: PathMatch): { readonly kind: number; readonly size: number } {
  if ("exact" in path) return { kind: 2, size: 0 };
  if ("prefix" in path) return { kind: 0, size: path.prefix.length };
  const segments = path.template.split("/");
  return { kind: 1, size: segments.filter((segment) => !segment.startsWith("{")).length };
}

/** More than a match may name, so that methods weigh more than headers. */
const MOST_HEADERS = 100;

/** How much a match asks beside host and path: methods before headers, more headers before fewer; 0 for nothing. */
export const narrownessOf = ({ methods, headers = [] }: Pick<Match, "methods" | "headers">): number =>
  (methods === undefined ? 0 : MOST_HEADERS) + headers.length;

/**
 * Whether a path meets a matcher; its query, which no matcher holds, may still stand behind it. A prefix covers whole segments, and `/`
 * everything, `*` and CONNECT too.
 */
export function pathMatches(matcher: PathMatch, path: string): boolean {
  if ("prefix" in matcher) {
    const { prefix } = matcher;
    if (prefix === "/") return true;
    if (!path.startsWith(prefix)) return false;
    return prefix.endsWith("/") || path.charCodeAt(prefix.length) === SLASH || endsAt(path, prefix.length);
  }
  if ("exact" in matcher) return path.startsWith(matcher.exact) && endsAt(path, matcher.exact.length);
  return fitsTemplate(matcher.template, pathOnly(path));
}

function endsAt(path: string, index: number): boolean {
  const code = path.charCodeAt(index);
  return index === path.length || code === QUESTION_MARK || code === HASH;
}

/** Walks both at once, segment by segment. */
function fitsTemplate(template: string, path: string): boolean {
  let [inTemplate, inPath] = [0, 0];
  while (inTemplate < template.length && inPath < path.length) {
    const [templateEnd, pathEnd] = [segmentEnd(template, inTemplate), segmentEnd(path, inPath)];
    const isAny = template[inTemplate + 1] === "{";
    const fits = isAny
      ? pathEnd > inPath + 1
      : templateEnd - inTemplate === pathEnd - inPath && path.startsWith(template.slice(inTemplate, templateEnd), inPath);
    if (!fits) return false;
    [inTemplate, inPath] = [templateEnd, pathEnd];
  }
  return inTemplate === template.length && inPath === path.length;
}

/** Where the segment ends whose slash stands there. */
function segmentEnd(path: string, slash: number): number {
  const next = path.indexOf("/", slash + 1);
  return next === -1 ? path.length : next;
}

const NO_VALUES: readonly string[] = [];

/** Values of a claim; none where no token is read. */
export const claimValues = (request: RequestFacts, path: readonly string[]): readonly string[] => request.claims?.(path) ?? NO_VALUES;

/** Value of the first cookie of that name over all `cookie` headers; undefined when there is none. */
export function cookieValue(headers: readonly string[], name: string): string | undefined {
  for (const header of headers) {
    for (let from = 0; from < header.length; ) {
      const semicolon = header.indexOf(";", from);
      const to = semicolon === -1 ? header.length : semicolon;
      const equals = header.indexOf("=", from);
      if (equals !== -1 && equals < to && header.slice(from, equals).trim() === name) return unquoted(header.slice(equals + 1, to).trim());
      from = to + 1;
    }
  }
  return undefined;
}

const unquoted = (value: string): string => (value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value);

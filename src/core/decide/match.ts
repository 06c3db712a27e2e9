import type { PathMatch } from "../../contract/rollout.ts";

/** The host as rules name it: lower case, without its port; an IPv6 address keeps its brackets. */
export function hostName(authority: string): string {
  const lower = authority.toLowerCase();
  const bracket = lower.lastIndexOf("]");
  const colon = lower.lastIndexOf(":");
  return colon > bracket ? lower.slice(0, colon) : lower;
}

/** The path without its query. */
export function pathOnly(path: string): string {
  const query = path.search(/[?#]/);
  return query === -1 ? path : path.slice(0, query);
}

/** Orders path matchers, negative when `a` goes first: exact ones before prefixes, longer prefixes before shorter. */
export function bySpecificity(a: PathMatch, b: PathMatch): number {
  if ("exact" in a) return "exact" in b ? 0 : -1;
  return "exact" in b ? 1 : b.prefix.length - a.prefix.length;
}

/** Whether a path, without query, meets a matcher; a prefix covers whole segments, and `/` everything, `*` and CONNECT too. */
export function pathMatches(matcher: PathMatch, path: string): boolean {
  if ("exact" in matcher) return path === matcher.exact;
  const { prefix } = matcher;
  if (prefix === "/") return true;
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || prefix.endsWith("/") || path[prefix.length] === "/";
}

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

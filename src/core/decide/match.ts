import type { PathMatch } from "../../contract/rollout.ts";

/** The host as rules name it: lower case, without its port. */
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

/** How specific a path matcher is: exact ones before prefixes, longer before shorter. */
export const specificity = (matcher: PathMatch): number => ("exact" in matcher ? 1_000_000 + matcher.exact.length : matcher.prefix.length);

/** Whether a path, without query, meets a matcher; a prefix covers whole segments. */
export function pathMatches(matcher: PathMatch, path: string): boolean {
  if ("exact" in matcher) return path === matcher.exact;
  const { prefix } = matcher;
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || prefix.endsWith("/") || path[prefix.length] === "/";
}

/** Value of the first cookie of that name over all `cookie` headers; undefined when there is none. */
export function cookieValue(headers: readonly string[], name: string): string | undefined {
  for (const header of headers) {
    for (const pair of header.split(";")) {
      const equals = pair.indexOf("=");
      if (equals !== -1 && pair.slice(0, equals).trim() === name) return unquoted(pair.slice(equals + 1).trim());
    }
  }
  return undefined;
}

const unquoted = (value: string): string => (value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value);

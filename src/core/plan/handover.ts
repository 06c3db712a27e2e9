import type { Shown } from "../../contract/handover.ts";

/** An answer of the endpoint; header names in lower case. */
export interface Answer {
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed; undefined where it is no JSON. */
  readonly json: unknown;
}

/** What an answer does not show that it must, for people; undefined where it shows all. */
export function lacking(shows: readonly Shown[], { headers, json }: Answer): string | undefined {
  for (const wanted of shows) {
    const [name, seen] =
      "header" in wanted ? [wanted.header, headers[wanted.header.toLowerCase()]] : [wanted.json, valueAt(json, wanted.json)];
    const [other, value] = "sameAs" in wanted ? [`${wanted.sameAs} is `, valueAt(json, wanted.sameAs)] : ["not ", wanted.equals];
    if (seen === undefined) return `${name} is missing`;
    if (seen !== value) return `${name} is ${seen}, and ${other}${value ?? "missing"}`;
  }
  return undefined;
}

/** The text of what stands at a path of keys and places in lists; undefined where nothing does, or more than a text. */
function valueAt(json: unknown, path: string): string | undefined {
  let value = json;
  for (const key of path.split(/[.[\]]+/).filter((part) => part !== "")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return typeof value === "object" ? undefined : String(value);
}

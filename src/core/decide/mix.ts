import { claimPath } from "../../contract/conditions.ts";
import { type Mix, type MixSource, UNNAMED, valuesIn } from "../../contract/mix.ts";
import { productsIn } from "./conditions.ts";
import { claimValues, cookieValue } from "./match.ts";
import type { RequestFacts } from "./types.ts";

/** The bits of the values that a request brings, one label's beside the next's; never 0. */
export type CompiledMix = (request: RequestFacts) => number;

/** Compiles a mix; what a client sends finds the bit of a value that is named, or one of those for all others. */
export function compileMix(mix: Mix): CompiledMix {
  const all = valuesIn(mix);
  const labels = Object.entries(mix).map(([label, source]) => {
    const bits = new Map(all.flatMap((each) => (each.label === label ? [[each.value, 1 << each.bit] as const] : [])));
    const [other, none] = UNNAMED.map((value) => bits.get(value));
    return { read: readerOf(source), bits, other: Number(other), none: Number(none) };
  });
  return (request) => {
    let mark = 0;
    for (const { read, bits, other, none } of labels) {
      const values = read(request);
      if (values.length === 0) mark |= none;
      for (const value of values) mark |= bits.get(value) ?? other;
    }
    return mark;
  };
}

type Read = (request: RequestFacts) => readonly string[];

function readerOf(source: MixSource): Read {
  if ("header" in source) return (request) => request.headers(source.header);
  if ("cookie" in source) return (request) => present(cookieValue(request.headers("cookie"), source.cookie));
  if ("userAgent" in source) return (request) => request.headers("user-agent").map((header) => productOf(header, source.values));
  const path = claimPath(source.claim);
  return (request) => claimValues(request, path);
}

const present = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value]);

/** The first product of the list that a `User-Agent` names; browsers name those they are like, too. */
function productOf(header: string, products: readonly string[]): string {
  const named = new Set(productsIn(header).map((token) => token.split("/", 1)[0]));
  return products.find((product) => named.has(product)) ?? "";
}

/** Names of the headers that a mix reads. */
export const mixHeaders = (mix: Mix): readonly string[] =>
  Object.values(mix).flatMap((source) => {
    if ("header" in source) return [source.header];
    if ("cookie" in source) return ["cookie"];
    return "userAgent" in source ? ["user-agent"] : [];
  });

import * as z from "zod";

/** Where a value stands in a document: keys and indexes from its root. */
export type Path = readonly (string | number)[];

/** The schemas that may stand at a path, as declared; a union on the way opens into its options. */
export function schemasAt(schema: unknown, path: Path): unknown[] {
  const [first, ...rest] = path;
  if (first === undefined) return [schema];
  const here = bare(schema);
  if (here instanceof z.ZodUnion) return here.options.flatMap((option) => schemasAt(option, path));
  if (here instanceof z.ZodObject) return schemasAt(first in here.shape ? here.shape[first] : here.def.catchall, rest);
  if (here instanceof z.ZodArray) return schemasAt(here.element, rest);
  if (here instanceof z.ZodRecord) return schemasAt(here.valueType, rest);
  return [];
}

/** Keys that a mapping may have there; of all options where it is a union. */
export function keysOf(schema: unknown): string[] {
  const here = bare(schema);
  if (here instanceof z.ZodUnion) return [...new Set(here.options.flatMap(keysOf))];
  return here instanceof z.ZodObject ? Object.keys(here.shape) : [];
}

/** The options of a union; none for any other schema. */
export function optionsOf(schema: unknown): z.ZodType[] {
  const here = bare(schema);
  return here instanceof z.ZodUnion ? here.options.filter((option) => option instanceof z.ZodType) : [];
}

/** Whether a value may be left out there. */
export const isOptional = (schema: unknown): boolean =>
  schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional;

/** What the schema says of itself, as the end of a sentence. */
export function descriptionOf(schema: unknown): string | undefined {
  const text = schema instanceof z.ZodType ? schema.description : undefined;
  return text === undefined ? undefined : text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, "");
}

/** What tells the forms of a union apart: a key that holds a literal in each but those that lack it, with those literals. */
export function tagOf(union: unknown): Readonly<{ key: string; values: readonly string[] }> | undefined {
  const literals = optionsOf(union).flatMap((option) => Object.entries(literalsOf(option)));
  const key = literals.map(([name]) => name).find((name) => optionsOf(union).every((option) => isTagged(option, name)));
  const values = [...new Set(literals.flatMap(([name, value]) => (name === key ? [value] : [])))];
  return key === undefined ? undefined : { key, values };
}

/** The forms of a union with this tag. */
export const taggedWith = (union: unknown, { key, value }: { key: string; value: string }): number[] =>
  optionsOf(union).flatMap((option, index) => (literalsOf(option)[key] === value ? [index] : []));

const isTagged = (option: unknown, key: string): boolean => !keysOf(option).includes(key) || key in literalsOf(option);

/** Keys of a mapping that hold one certain text. */
function literalsOf(schema: unknown): Record<string, string> {
  const here = bare(schema);
  if (!(here instanceof z.ZodObject)) return {};
  return Object.fromEntries(
    Object.entries(here.shape).flatMap(([key, value]) =>
      value instanceof z.ZodLiteral && typeof value.value === "string" ? [[key, value.value]] : [],
    ),
  );
}

/** More forms than this are told by what tells them apart. */
const FORMS_IN_FULL = 2;

/** The forms that a mapping may take there, in words: `a mapping with use, or with type and stages`, or `with name and one of exact, prefix or present`. */
export function formOf(schema: unknown): string {
  const options = optionsOf(schema);
  const tag = tagOf(schema);
  if (tag !== undefined && tag.values.length > 1) {
    const without = options.map(keysOf).filter((keys) => !keys.includes(tag.key));
    return `a mapping with ${[...without.map((keys) => listed(keys, "and")), `${tag.key}: ${listed(tag.values, "or")}`].join(", or with ")}`;
  }
  const forms = (options.length === 0 ? [schema] : options).map(keysOf).filter((keys) => keys.length > 0);
  const shared = forms[0]?.filter((key) => forms.every((keys) => keys.includes(key))) ?? [];
  const own = forms.map((keys) => keys.filter((key) => !shared.includes(key)));
  const words = options.flatMap((option) =>
    option instanceof z.ZodLiteral ? [...option.values].map((value) => JSON.stringify(value)) : [],
  );
  if (words.length > 0) return `${words.join(", ")}, or ${formOf(z.union(options.filter((option) => !(option instanceof z.ZodLiteral))))}`;
  if (forms.length > FORMS_IN_FULL && own.every((keys) => keys.length === 1))
    return `a mapping with ${shared.map((key) => `${key} and `).join("")}one of ${listed(own.flat(), "or")}`;
  return forms.length === 0 ? "a mapping" : `a mapping with ${forms.map((keys) => listed(keys, "and")).join(", or with ")}`;
}

/** A list in words: `a, b or c`. */
export const listed = (words: readonly string[], last: "and" | "or"): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;

/** The schema without what only says when it may be absent, or how it is read. */
function bare(schema: unknown): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return bare(schema.def.innerType);
  if (schema instanceof z.ZodLazy) return bare(schema.def.getter());
  return schema instanceof z.ZodPipe ? bare(schema.def.in) : schema;
}

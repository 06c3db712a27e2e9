import * as z from "zod";
import { HeaderNameSchema } from "./conditions.ts";
import { HEADER_PREFIX, MIRROR_HEADER } from "./names.ts";

/** What a tag's value may name in braces: facts of the decision, none of them raw data of a user. */
export const TAG_FACTS = ["rollout", "variant", "run", "revision", "reason", "target"] as const;
export type TagFact = (typeof TAG_FACTS)[number];

/** Pieces of a tag's value that are no plain text: two braces that mean one, a name in braces, a brace alone. */
export const TAG_PIECE = /\{\{|\}\}|\{(?<name>[^{}]*)\}|[{}]/g;

export const isTagFact = (name: string): name is TagFact => TAG_FACTS.some((fact) => fact === name);

// Tabs and no other control characters: Envoy refuses a header with one of these, and the whole answer with it.
const HEADER_VALUE = /^[\t\P{Cc}]*$/u;

/** Everything that keeps a text from being a tag's value, each with how to put it right. */
export function tagFaults(value: string): readonly string[] {
  const faults = HEADER_VALUE.test(value) ? [] : ["not the value of a header; leave out line breaks and control characters"];
  for (const { 0: piece, groups } of value.matchAll(TAG_PIECE)) {
    const name = groups?.["name"];
    if (name === undefined) {
      if (piece.length === 1) faults.push(`${piece} stands alone; write ${piece}${piece} for a brace, or a name in braces, like {variant}`);
    } else if (!isTagFact(name)) {
      faults.push(`${piece} is nothing that a tag can say; write ${names}, or {${piece}} for braces`);
    }
  }
  return faults;
}

const names = TAG_FACTS.map((fact, index) => `${index === TAG_FACTS.length - 1 ? "or " : ""}{${fact}}`)
  .join(", ")
  .replace(", or", " or");

const TagNameSchema = HeaderNameSchema.refine(
  (name) => name.startsWith(HEADER_PREFIX),
  `not a header that Serin may set; begin it with ${HEADER_PREFIX}`,
).refine((name) => name !== MIRROR_HEADER, "not a name for a tag, since it names who gets a copy; choose another");

const TagValueSchema = z
  .string()
  .max(256)
  .superRefine((value, context) => {
    for (const fault of tagFaults(value)) context.addIssue(fault);
  });

/** Headers for the upstream. */
export const TagsSchema = z
  .record(TagNameSchema, TagValueSchema)
  .default({})
  .describe(
    `Headers for the upstream; each name begins with ${HEADER_PREFIX}. Values may hold ${TAG_FACTS.map((fact) => `{${fact}}`).join(", ")}, and {{ and }} for braces.`,
  );

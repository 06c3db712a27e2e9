import * as z from "zod";
import { ClaimNameSchema, CONDITION_PATTERNS, CookieNameSchema, HeaderNameSchema } from "./conditions.ts";

/** The most labels of a rollout, and values of a label: with `other` and `none` a user's mark has 30 bits. */
const MAX = { labels: 3, values: 8 } as const;

/** What users count as who bring a value that is not named, and who bring none. */
export const UNNAMED = ["other", "none"] as const;

/** Bits of one label. */
const LABEL_BITS = MAX.values + UNNAMED.length;

/** Bits of all labels, fewer than those of a bitwise operation. */
export const MARK_BITS = MAX.labels * LABEL_BITS;

const LABEL_PATTERN = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/;
const VALUE_PATTERN = /^[\p{L}\p{N}\p{P}\p{S}]([\p{L}\p{N}\p{P}\p{S} ]{0,62}[\p{L}\p{N}\p{P}\p{S}])?$/u;

const LabelSchema = z
  .string()
  .regex(LABEL_PATTERN, "not the name of a label; use 1 to 32 of a-z, 0-9 and -, beginning with a letter and not ending with -");

const ValueSchema = z
  .string()
  .regex(VALUE_PATTERN, "not a value to count by; write 1 to 64 printable characters, without spaces around them");

const ProductSchema = z
  .string()
  .max(64)
  .regex(CONDITION_PATTERNS.token, "not a product; write its name as it stands in User-Agent, like Firefox");

const valuesOf = (value: z.ZodString) =>
  z
    .array(value)
    .min(1)
    .max(MAX.values)
    .superRefine((values, context) => {
      for (const [index, each] of values.entries()) {
        const [other, none] = UNNAMED;
        const isTaken = each === other || each === none;
        if (!isTaken && values.indexOf(each) === index) continue;
        const why = isTaken ? `is what users count as who bring ${each === none ? "no value" : "another value"}` : "stands here already";
        context.addIssue({ code: "custom", path: [index], input: each, message: `"${each}" ${why}; leave it out` });
      }
    })
    .describe("Values that are counted apart; any other is `other`, and no value at all `none`.");

const values = valuesOf(ValueSchema);

const MixSourceSchema = z.union([
  z.strictObject({ header: HeaderNameSchema.describe("A request header."), values }),
  z.strictObject({ cookie: CookieNameSchema.describe("A cookie."), values }),
  z.strictObject({ claim: ClaimNameSchema, values }),
  z.strictObject({
    userAgent: z.literal(true).describe("The header User-Agent; its values are products, of which the first that is there counts."),
    values: valuesOf(ProductSchema),
  }),
]);

/** Labels by which the users of a rollout are told apart, each with where its value comes from. */
export const MixSchema = z.record(LabelSchema, MixSourceSchema).superRefine((labels, context) => {
  const count = Object.keys(labels).length;
  if (count === 0) context.addIssue("no label; write one, like country: { header: x-country, values: [SE, DE] }, or leave mix out");
  if (count > MAX.labels) context.addIssue(`${count} labels; write at most ${MAX.labels}`);
});

export type Mix = z.infer<typeof MixSchema>;
export type MixSource = z.infer<typeof MixSourceSchema>;

/** A value of a label, and the bit of a user's mark that stands for it. */
export interface MixValue {
  readonly label: string;
  readonly value: string;
  readonly bit: number;
}

/** All values of a mix in the order of the file, with those that nobody named. */
export const valuesIn = (mix: Mix): MixValue[] =>
  Object.entries(mix).flatMap(([label, { values: named }], index) => [
    ...named.map((value, at) => ({ label, value, bit: index * LABEL_BITS + at })),
    ...UNNAMED.map((value, at) => ({ label, value, bit: index * LABEL_BITS + MAX.values + at })),
  ]);

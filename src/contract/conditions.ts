import ipaddr from "ipaddr.js";
import { RE2JS } from "re2js";
import Range from "semver/classes/range.js";
import * as z from "zod";
import { NAME_PATTERN, NameSchema } from "./name-schema.ts";

const TOKEN_PATTERN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const PATH_PATTERN = /^\/[^\s?#]*$/;
const USER_HASH_PATTERN = /^[0-9a-f]{16}$/;
const COMPARISON_PATTERN = /^(?:(?:<=|>=|<|>|=)\s*-?\d{1,15}(?:\.\d{1,15})?(?:\s+|$))+$/;
const METHOD_PATTERN = /^[A-Z][A-Z-]{0,31}$/;

/** A longer value meets no regular expression. */
export const MAX_REGEX_VALUE = 4_096;
/** Instructions of a compiled expression; with the longest value they bound the steps of a match. */
const MAX_REGEX_SIZE = 2_000;

export const HeaderNameSchema = z
  .string()
  .regex(TOKEN_PATTERN, "not a header name; use letters, digits and -")
  .transform((name) => name.toLowerCase());

export const CookieNameSchema = z.string().regex(TOKEN_PATTERN, "not a cookie name; use letters, digits, - and _");

const CLAIM_PATTERN = /^[!-~]{1,200}$/;
const ClaimPartSchema = z.string().regex(CLAIM_PATTERN, "not the name of a claim; use 1 to 200 ASCII characters without spaces");

/** A claim of a verified token: its name, or the names that lead to it. */
export const ClaimNameSchema = z
  .union([ClaimPartSchema, z.array(ClaimPartSchema).min(1).max(8)])
  .describe("Name of a claim, or a list of names that lead into it, like [realm_access, roles].");

/** The names that lead to a claim. */
export const claimPath = (name: z.infer<typeof ClaimNameSchema>): readonly string[] => (typeof name === "string" ? [name] : name);

const PathSchema = z.string().regex(PATH_PATTERN, "not a path; begin with / and leave out ? and #");

/** `{name}` stands for one whole segment. */
const TEMPLATE_PATTERN = /^(?:\/(?:[^/{}\s?#]*|\{[A-Za-z_][A-Za-z0-9_]*\}))+$/;
const TemplateSchema = z
  .string()
  .regex(TEMPLATE_PATTERN, "not a path template; write whole segments, like /users/{id}/orders")
  .describe("{name} stands for one whole segment: /users/{id} matches /users/7, not /users/7/orders.");

const TextSchema = z.string().max(4_096);
const SomeTextSchema = TextSchema.min(1);

const RegexSchema = z
  .string()
  .min(1)
  .max(1_000)
  .superRefine((text, context) => {
    try {
      const size = RE2JS.compile(text).programSize();
      if (size > MAX_REGEX_SIZE) context.addIssue(`not a small expression (${size} steps a letter); write at most ${MAX_REGEX_SIZE}`);
    } catch (error) {
      const why = error instanceof Error ? error.message.replace("error parsing regexp: ", "") : String(error);
      context.addIssue(`not a regular expression (${why}); write it in RE2's syntax, which has no look-ahead and no back-references`);
    }
  })
  .describe("RE2 syntax; must match the whole value. A value above 4 KiB matches none.");

const NumberSchema = z
  .string()
  .regex(COMPARISON_PATTERN, 'not a comparison; write one like ">=10" or ">=10 <20"')
  .describe('Decimal numbers, like ">=10 <20"; what is no number does not match.');

const VersionSchema = z
  .string()
  .min(1)
  .max(256)
  .refine((text) => isRange(text), 'not a range of versions; write one like ">=2.1.0 <3"')
  .describe('Semantic versions, like ">=2.1.0 <3", "^1.4" or "1.x"; what is no version does not match.');

function isRange(text: string): boolean {
  try {
    return new Range(text).range !== undefined;
  } catch {
    return false;
  }
}

/** What may be asked of a value that has a name. */
const valueMatch = <Name extends z.ZodType>(name: Name) =>
  z.union([
    z.strictObject({ name, exact: TextSchema }),
    z.strictObject({ name, oneOf: z.array(TextSchema).min(1).max(1_000) }),
    z.strictObject({ name, prefix: SomeTextSchema }),
    z.strictObject({ name, suffix: SomeTextSchema }),
    z.strictObject({ name, contains: SomeTextSchema }),
    z.strictObject({ name, regex: RegexSchema }),
    z.strictObject({ name, number: NumberSchema }),
    z.strictObject({ name, version: VersionSchema }),
    z.strictObject({ name, present: z.boolean().describe("false: there is none.") }),
  ]);

export const HeaderMatchSchema = valueMatch(HeaderNameSchema);
const CookieMatchSchema = valueMatch(CookieNameSchema);
const QueryMatchSchema = valueMatch(z.string().min(1).max(128));
const ClaimMatchSchema = valueMatch(ClaimNameSchema);

/** Ways to match a path without its query. */
export const PathMatchSchema = z.union([
  z.strictObject({ prefix: PathSchema.describe("Whole path segments: /cart matches /cart and /cart/1, not /carts.") }),
  z.strictObject({ exact: PathSchema.describe("The path without its query, letter by letter.") }),
  z.strictObject({ template: TemplateSchema }),
]);

export const MethodSchema = z.string().regex(METHOD_PATTERN, "not a method; write it in capitals, like GET");

const NetworkSchema = z.string().refine(isNetwork, 'not a network; write an address and its bits, like "10.0.0.0/8" or "2001:db8::/32"');

/** True for an address and its bits. */
export function isNetwork(text: string): boolean {
  const [address = "", bits = ""] = text.split("/");
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address);
  return isAddress && /^\d{1,3}$/.test(bits) && ipaddr.isValidCIDR(text);
}

const UserAgentSchema = z.strictObject({
  product: z.string().regex(TOKEN_PATTERN, "not a product; write its name as it stands in User-Agent, like Firefox"),
  version: VersionSchema.optional(),
});

/** A user of a list as Serin stores it. */
export const UserHashSchema = z.string().regex(USER_HASH_PATTERN, "not a hash of a user; list keys as they are under users");

const LEAVES = [
  z.strictObject({ header: HeaderMatchSchema }),
  z.strictObject({ cookie: CookieMatchSchema }),
  z.strictObject({ query: QueryMatchSchema }),
  z.strictObject({ claim: ClaimMatchSchema }),
  z.strictObject({ path: PathMatchSchema }),
  z.strictObject({ method: z.array(MethodSchema).min(1).max(32).describe("Any of these.") }),
  z.strictObject({
    clientAddress: z.array(NetworkSchema).min(1).max(1_000).describe("Networks, any of which holds the connection's address."),
  }),
  z.strictObject({ userAgent: UserAgentSchema.describe("A product of the header User-Agent.") }),
  z.strictObject({
    users: z.array(z.string().min(1).max(1_024)).min(1).max(10_000).describe("Bucketing keys; hashed before they leave the command line."),
  }),
  z.strictObject({
    userHashes: z.array(UserHashSchema).min(1).max(10_000).describe("Bucketing keys as Serin stores them."),
  }),
  z.strictObject({ segment: NameSchema.describe("Name of a segment: a document of its own, of kind Segment.") }),
] as const;

/** One condition of its own, without others inside. */
export type Leaf = z.infer<(typeof LEAVES)[number]>;
/** Conditions of conditions; `Inner` are those that hold no others. */
export type Nested<Inner> = Inner | { all: Nested<Inner>[] } | { any: Nested<Inner>[] } | { not: Nested<Inner> };
/** What a target asks of a request, as it is checked. */
export type Condition = Nested<Leaf>;

const MAX_DEPTH = 8;
const MAX_CONDITIONS = 200;

const nested: z.ZodType<Condition, Condition> = z.lazy(() => AnyConditionSchema);
const AnyConditionSchema = z.union([
  ...LEAVES,
  z.strictObject({ all: z.array(nested).min(1).max(100).describe("Conditions that must all hold.") }),
  z.strictObject({ any: z.array(nested).min(1).max(100).describe("Conditions of which one must hold.") }),
  z.strictObject({ not: nested.describe("A condition that must not hold.") }),
]);

/** What a target asks of a request. */
export const ConditionSchema = AnyConditionSchema.superRefine((condition, context) => {
  const { depth, count } = sizeOf(condition);
  if (depth > MAX_DEPTH) context.addIssue(`conditions ${depth} deep; nest at most ${MAX_DEPTH}`);
  if (count > MAX_CONDITIONS) context.addIssue(`${count} conditions; write at most ${MAX_CONDITIONS}, or several targets`);
});

/** Conditions directly inside another. */
export function innerConditions<Inner>(
  condition: { all: readonly Inner[] } | { any: readonly Inner[] } | { not: Inner } | object,
): readonly Inner[] {
  if ("all" in condition) return condition.all;
  if ("any" in condition) return condition.any;
  return "not" in condition ? [condition.not] : [];
}

/** The same condition with each one that holds no others as `map` gives it, in their order; what is no condition goes to `map` too. */
export function mapLeaves<From, To>(condition: Nested<From>, map: (leaf: From) => To): Nested<To> {
  const mapped = (inner: Nested<From>): Nested<To> => mapLeaves(inner, map);
  const { all, any, not } = Object(condition);
  if (Array.isArray(all)) return { ...Object(condition), all: all.map(mapped) };
  if (Array.isArray(any)) return { ...Object(condition), any: any.map(mapped) };
  if (not !== undefined) return { ...Object(condition), not: mapped(not) };
  return map(condition as From); // it holds no others
}

function sizeOf(condition: Condition): { depth: number; count: number } {
  const inner = innerConditions<Condition>(condition).map(sizeOf);
  return { depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)), count: 1 + inner.reduce((all, { count }) => all + count, 0) };
}

/** What the schemas above hold texts against; for a check that has no time to run them. */
export const CONDITION_PATTERNS = { name: NAME_PATTERN, token: TOKEN_PATTERN, path: PATH_PATTERN, userHash: USER_HASH_PATTERN } as const;

export type PathMatch = z.infer<typeof PathMatchSchema>;
export type ValueMatch = z.infer<typeof HeaderMatchSchema>;

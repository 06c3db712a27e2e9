import { HEADER_PREFIX, MIRROR_HEADER } from "../contract/names.ts";
import { PATTERNS } from "../contract/rollout.ts";
import type { LiveRule, StaticRules } from "../contract/rules.ts";
import { tagFaults } from "../contract/tags.ts";
import { MAX_USERS } from "../contract/user-lists.ts";

/**
 * A quick look at rules in their common form, twenty times as fast as their schema: true means that the schema takes them and
 * changes nothing; false means that the schema must be asked. So a form that is not known here costs time and nothing else.
 */
export const isPlainRules = (value: unknown): value is StaticRules =>
  isObject(value, 5) &&
  isMatch(value["match"]) &&
  isList(value["key"], 10, isKeySource) &&
  isText(value["salt"], Number.POSITIVE_INFINITY) &&
  isVariants(value["variants"]) &&
  Array.isArray(value["targets"]) &&
  value["targets"].every(isTarget);

/** The same for a live rule. */
export const isPlainLive = (value: unknown): value is LiveRule =>
  (isObject(value, 4) || (isObject(value, 5) && Object.keys(value).at(-1) === "shares" && isShares(value["shares"]))) &&
  isCount(value["run"], Number.MAX_SAFE_INTEGER) &&
  isCount(value["shareBp"], 10_000) &&
  typeof value["off"] === "boolean" &&
  (value["whenUnwatched"] === "stable" || value["whenUnwatched"] === "hold");

/** Shares come last, as the schema writes them: nothing but the end of a rule may look like it. */
const isShares = (value: unknown): boolean =>
  isObject(value, Object.keys(Object(value)).length) &&
  Object.entries(value).every(([name, share]) => PATTERNS.variant.test(name) && isCount(share, 10_000));

type Plain = Readonly<Record<string, unknown>>;

/** An object with so many fields; that each of these is known shows that no other is there. */
const isObject = (value: unknown, fields: number): value is Plain =>
  typeof value === "object" &&
  value !== null &&
  // A class's instance is no JSON, and the schema's business.
  Object.getPrototypeOf(value) === Object.prototype &&
  Object.keys(value).length === fields;

const isList = (value: unknown, most: number, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length > 0 && value.length <= most && value.every(isItem);

const isText = (value: unknown, longest: number): value is string => typeof value === "string" && value !== "" && value.length <= longest;

const isCount = (value: unknown, most: number): boolean =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most && !Object.is(value, -0);

const fits = (value: unknown, pattern: RegExp): value is string => typeof value === "string" && pattern.test(value);

const isMatch = (value: unknown): boolean =>
  isObject(value, 2) && isList(value["hosts"], 100, isHost) && isList(value["paths"], 100, isPath);

const isHost = (value: unknown): boolean => fits(value, PATTERNS.host);

const isPath = (value: unknown): boolean => isObject(value, 1) && fits(value["prefix"] ?? value["exact"], PATTERNS.path);

/** The schema writes header names in lower case. */
const isHeaderName = (value: unknown): value is string => fits(value, PATTERNS.token) && value === value.toLowerCase();

const isCookieName = (value: unknown): boolean => fits(value, PATTERNS.token);

const isKeySource = (value: unknown): boolean =>
  isObject(value, 1) && (isHeaderName(value["header"]) || isCookieName(value["cookie"]) || value["clientAddress"] === true);

/** Two variants, as nearly all rollouts have. */
const isVariants = (value: unknown): value is Plain =>
  isObject(value, 2) &&
  isVariant(value["stable"]) &&
  Object.entries(value).every(([name, variant]) => fits(name, PATTERNS.variant) && isVariant(variant));

const isVariant = (value: unknown): boolean => isObject(value, 2) && isText(value["cluster"], 200) && isTags(value["tags"]);

const isTags = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.getPrototypeOf(value) === Object.prototype &&
  Object.entries(value).every(
    ([name, tag]) => isTagName(name) && typeof tag === "string" && tag.length <= 256 && tagFaults(tag).length === 0,
  );

const isTagName = (name: string): boolean => isHeaderName(name) && name.startsWith(HEADER_PREFIX) && name !== MIRROR_HEADER;

const isTarget = (value: unknown): boolean =>
  isObject(value, 3) && fits(value["name"], PATTERNS.name) && fits(value["variant"], PATTERNS.variant) && isCondition(value["when"]);

/** Users as people write them, and packed ones, are left to the schema. */
const isCondition = (value: unknown): boolean =>
  isObject(value, 1) &&
  (isValueMatch(value["header"], isHeaderName) ||
    isValueMatch(value["cookie"], isCookieName) ||
    fits(value["segment"], PATTERNS.name) ||
    isList(value["userHashes"], MAX_USERS, isUserHash));

const isUserHash = (value: unknown): boolean => fits(value, PATTERNS.userHash);

const isValueMatch = (value: unknown, isName: (name: unknown) => boolean): boolean =>
  isObject(value, 2) && isName(value["name"]) && (value["present"] === true || isText(value["prefix"], 4_096) || isExact(value["exact"]));

const isExact = (value: unknown): boolean => typeof value === "string" && value.length <= 4_096;

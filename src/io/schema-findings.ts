import * as z from "zod";
import { nearestName } from "./nearest-name.ts";
import { descriptionOf, formOf, isOptional, keysOf, listed, optionsOf, type Path, schemasAt, taggedWith, tagOf } from "./schema-shape.ts";

/** One thing wrong with a value: where, what, and how to put it right. */
export interface Finding {
  readonly path: Path;
  readonly problem: string;
  readonly fix: string;
  /** What at `path` the finding means: the value, its key, or the mapping in which it is missing. */
  readonly at: "value" | "key" | "parent";
  /** The key that was probably meant by an unknown one. */
  readonly meant?: string;
}

type Issue = z.core.$ZodIssue;
type IssueOf<Code extends Issue["code"]> = Extract<Issue, { code: Code }>;

/** Every issue of a parse with `reportInput` as findings, in words of the document rather than of the schema library. */
export function findings(issues: readonly Issue[], schema: z.ZodType): Finding[] {
  const found = issues.flatMap((issue) => fromIssue(issue, schema));
  // A misspelt key is one fault, not also a missing one.
  const meant = new Set(found.map(({ path, meant: key }) => (key === undefined ? "" : joined([...path.slice(0, -1), key]))));
  return found.filter(({ at, path }) => at !== "parent" || !meant.has(joined(path)));
}

const joined = (path: Path): string => JSON.stringify(path);

function fromIssue(issue: Issue, schema: z.ZodType): Finding[] {
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  const here = schemasAt(schema, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return strangersIn(issue, here, path);
    case "invalid_union":
      return fromUnion(
        issue,
        here.find((found) => optionsOf(found).length > 0),
        path,
      );
    case "invalid_value": {
      const allowed = listed(issue.values.map(shown), "or");
      return [
        issue.input === undefined ? missing(path, allowed) : ofValue(path, nullOr(issue.input, "is not allowed here"), `write ${allowed}`),
      ];
    }
    case "invalid_key":
      return [{ ...ofValue(path, ...ownWords(issue.issues[0]?.message ?? issue.message, path.at(-1))), at: "key" }];
    case "invalid_type":
      return [ofType(issue, here[0], path)];
    case "too_small":
      return [ofValue(path, sizeOf(issue.input, "small"), `write at least ${amount(issue.minimum, issue.origin)}`)];
    case "too_big":
      return [ofValue(path, sizeOf(issue.input, "large"), `write at most ${amount(issue.maximum, issue.origin)}`)];
    case "invalid_format":
    case "custom":
    case "invalid_element":
    case "not_multiple_of":
      return [ofValue(path, ...ownWords(issue.message, issue.input))];
  }
}

const ofValue = (path: Path, problem: string, fix: string): Finding => ({ path, problem, fix, at: "value" });
const missing = (path: Path, what: string): Finding => ({ path, problem: "missing", fix: `add ${what}`, at: "parent" });

function unknownKey(path: Path, key: string, known: readonly string[]): Finding {
  const meant = nearestName(key, known);
  const fix = meant === undefined ? `known keys are ${known.join(", ")}` : `did you mean ${meant}?`;
  return { path: [...path, key], problem: "unknown key", fix, at: "key", ...(meant === undefined ? {} : { meant }) };
}

/** Unknown keys; in a union that zod has already resolved, one of another branch is a rival and not unknown. */
function strangersIn({ keys, input }: IssueOf<"unrecognized_keys">, here: readonly unknown[], path: Path): Finding[] {
  const meant = here.map((found) => withTagOf(input, found));
  const union = meant.find((found) => optionsOf(found).length > 0);
  const rivals = union === undefined ? undefined : rivalsIn(Object.keys(input ?? {}), union, path);
  return rivals === undefined ? keys.map((key) => unknownKey(path, key, meant.flatMap(keysOf))) : [rivals];
}

/** Keys of different branches of a union standing together; undefined when some branch knows them all. */
function rivalsIn(given: readonly string[], union: unknown, path: Path): Finding | undefined {
  const branches = optionsOf(union).map(keysOf);
  const recognised = given.filter((key) => branches.some((keys) => keys.includes(key)));
  if (branches.some((keys) => recognised.every((key) => keys.includes(key)))) return undefined;
  const fits = (one: string, other: string): boolean => branches.some((keys) => keys.includes(one) && keys.includes(other));
  const rivals = recognised.filter((key) => recognised.some((other) => !fits(key, other)));
  return ofValue(path, `${listed(rivals, "and")} exclude each other`, `write ${formOf(union)}`);
}

/** Reports the branch of a union that the author meant: by its tag, where the union has one. */
function fromUnion(issue: IssueOf<"invalid_union">, union: unknown, path: Path): Finding[] {
  const { input, errors } = issue;
  const tag = tagOf(union);
  const value = tag !== undefined && isMapping(input) ? input[tag.key] : undefined;
  if (tag === undefined || value === undefined) return byKeys(issue, union, path);
  if (typeof value !== "string" || !tag.values.includes(value)) return [unknownTag([...path, tag.key], value, tag.values)];
  const meant = taggedWith(union, { key: tag.key, value });
  return byKeys({ input, errors: meant.map((index) => errors[index] ?? []) }, withTagOf(input, union), path);
}

/** Of a union with a tag the forms with that of the value; all else as it is. */
function withTagOf(input: unknown, schema: unknown): unknown {
  const tag = tagOf(schema);
  const value = tag !== undefined && isMapping(input) ? input[tag.key] : undefined;
  if (tag === undefined || typeof value !== "string" || !tag.values.includes(value)) return schema;
  return z.union(taggedWith(schema, { key: tag.key, value }).flatMap((index) => optionsOf(schema)[index] ?? []));
}

function unknownTag(path: Path, value: unknown, known: readonly string[]): Finding {
  const meant = typeof value === "string" ? nearestName(value, known) : undefined;
  const fix = meant === undefined ? `write ${listed(known.map(shown), "or")}` : `did you mean ${meant}?`;
  return ofValue(path, nullOr(value, "is not allowed here"), fix);
}

/** By the keys that only some branches have. */
function byKeys(
  { input, errors }: Pick<IssueOf<"invalid_union">, "input"> & { errors: readonly Issue[][] },
  union: unknown,
  path: Path,
): Finding[] {
  const form = formOf(union);
  if (input === undefined) return [missing(path, form)];
  if (!isMapping(input)) return [ofValue(path, nullOr(input, "is not a mapping"), `write ${form}`)];
  const given = Object.keys(input);
  const rivals = rivalsIn(given, union, path);
  if (rivals !== undefined) return [rivals];
  const known = keysOf(union);
  const recognised = given.filter((key) => known.includes(key));
  const fitting = optionsOf(union)
    .map((option, index) => ({ option, errors: errors[index] ?? [] }))
    .filter(({ option }) => recognised.every((key) => keysOf(option).includes(key)));
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) {
    return findings(only.errors, only.option).map((finding) => ({ ...finding, path: [...path, ...finding.path] }));
  }
  const strangers = given.filter((key) => !known.includes(key)).map((key) => unknownKey(path, key, known));
  // Where nothing but unknown keys stands, or a misspelt one, these say it all.
  if (strangers.length > 0 && (recognised.length === 0 || strangers.some(({ meant }) => meant !== undefined))) return strangers;
  const tag = recognised.length === 0 ? undefined : tagOf(union);
  if (tag !== undefined) {
    const values = fitting.flatMap(({ option }) => tagOf(z.union([option]))?.values ?? []);
    return [...strangers, missing([...path, tag.key], listed([...new Set(values)].map(shown), "or"))];
  }
  const choice = [...new Set(fitting.flatMap(({ option }) => keysOf(option)))].filter((key) => !recognised.includes(key));
  return [...strangers, ofValue(path, given.length === 0 ? "an empty mapping" : `lacks ${listed(choice, "or")}`, `write ${form}`)];
}

function ofType(issue: IssueOf<"invalid_type">, schema: unknown, path: Path): Finding {
  const { input } = issue;
  // The contract's own messages have a fix after a semicolon; zod's have none.
  if (issue.message.includes("; "))
    return { ...ofValue(path, ...ownWords(issue.message, input)), at: input === undefined ? "parent" : "value" };
  const kind = KINDS[issue.expected] ?? issue.expected;
  const wanted = kind === "a mapping" ? formOf(schema) : kind;
  const description = descriptionOf(schema);
  if (input === undefined) return missing(path, description === undefined ? wanted : `${wanted}: ${description}`);
  if (input === null) return ofValue(path, "empty", `write ${wanted}${isOptional(schema) ? ", or leave the key out" : ""}`);
  const problem = `${shown(input)} is not ${kind}`;
  if (kind === "a text" && (typeof input === "number" || typeof input === "boolean")) {
    return ofValue(path, problem, `put it in quotes: ${shown(String(input))}`);
  }
  if (kind === "a list" && typeof input !== "object") return ofValue(path, problem, `write a list: [${shown(input)}]`);
  if (typeof input === "string" && kind.endsWith("number") && input.trim() !== "" && Number.isFinite(Number(input))) {
    return ofValue(path, problem, `leave out the quotes: ${input.trim()}`);
  }
  return ofValue(path, problem, `write ${wanted}`);
}

const KINDS: Readonly<Record<string, string>> = {
  object: "a mapping",
  record: "a mapping",
  array: "a list",
  string: "a text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
};

const isMapping = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === "object" && input !== null && !Array.isArray(input);

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

const nullOr = (input: unknown, problem: string): string => (input === null ? "empty" : `${shown(input)} ${problem}`);

/** A message of ours, `problem; fix`; one that says what a value is not begins with the value. */
function ownWords(message: string, input: unknown): [problem: string, fix: string] {
  const semicolon = message.indexOf("; ");
  const problem = semicolon === -1 ? message : message.slice(0, semicolon);
  return [
    problem.startsWith("not ") ? `${shown(input)} is ${problem}` : problem,
    semicolon === -1 ? "correct it" : message.slice(semicolon + 2),
  ];
}

function sizeOf(input: unknown, size: "small" | "large"): string {
  if (Array.isArray(input))
    return input.length === 0 ? "an empty list" : `${input.length} entries are too ${size === "small" ? "few" : "many"}`;
  if (typeof input !== "string") return `${shown(input)} is too ${size}`;
  return input === "" ? "an empty text" : `a text of ${input.length} characters is too ${size === "small" ? "short" : "long"}`;
}

function amount(limit: number | bigint, origin: string): string {
  if (origin === "string") return `${limit} character${limit === 1 ? "" : "s"}`;
  return origin === "array" ? `${limit} ${limit === 1 ? "entry" : "entries"}` : String(limit);
}

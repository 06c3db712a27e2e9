import { z } from "zod";

/** One thing wrong with a value: where, what, and how to put it right. */
export interface Finding {
  readonly path: readonly (string | number)[];
  readonly problem: string;
  readonly fix: string;
  /** The key itself is the fault, not its value. */
  readonly atKey?: boolean;
}

type Issue = z.core.$ZodIssue;

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

/** Every issue of a parse as findings, in words of the document rather than of the schema library. */
export function findings(issues: readonly Issue[], schema: z.ZodType): Finding[] {
  return issues.flatMap((issue) => fromIssue(issue, schema));
}

function fromIssue(issue: Issue, schema: z.ZodType): Finding[] {
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const known = keysAt(schema, path);
        const near = nearest(key, known);
        const fix = near === undefined ? `known keys are ${known.join(", ")}` : `did you mean ${JSON.stringify(near)}?`;
        return { path: [...path, key], problem: "unknown key", fix, atKey: true };
      });
    case "invalid_union":
      return fromUnion(issue, schema, path);
    case "invalid_value":
      return [{ path, problem: whatIs(issue.input), fix: `write ${issue.values.map(shown).join(" or ")}` }];
    case "invalid_key":
      return [
        {
          path,
          problem: `${shown(path.at(-1))} is ${splitMessage(issue.issues[0]?.message ?? issue.message).problem}`,
          fix: splitMessage(issue.issues[0]?.message ?? issue.message).fix,
          atKey: true,
        },
      ];
    case "invalid_type": {
      const own = splitMessage(issue.message);
      if (own.fix !== "") return [{ path, ...own }];
      return [{ path, problem: whatIs(issue.input), fix: `${issue.input === undefined ? "add" : "write"} ${kindName(issue.expected)}` }];
    }
    case "too_small":
      return [
        {
          path,
          problem: `${whatIs(issue.input)}, too ${issue.origin === "array" || issue.origin === "string" ? "short" : "small"}`,
          fix: `at least ${issue.minimum} ${unitName(issue.origin)}`.trimEnd(),
        },
      ];
    case "too_big":
      return [
        {
          path,
          problem: `${whatIs(issue.input)}, too ${issue.origin === "array" || issue.origin === "string" ? "long" : "large"}`,
          fix: `at most ${issue.maximum} ${unitName(issue.origin)}`.trimEnd(),
        },
      ];
    case "invalid_format":
    case "custom":
    case "invalid_element":
    case "not_multiple_of": {
      const { problem, fix } = splitMessage(issue.message);
      const subject = problem.startsWith("not ") ? `${shown(issue.input ?? path.at(-1))} is ${problem}` : problem;
      return [{ path, problem: subject, fix: fix === "" ? "correct it" : fix }];
    }
  }
}

/** Reports the branch of a union that the author meant: the one whose keys fit best. */
function fromUnion(issue: Extract<Issue, { code: "invalid_union" }>, schema: z.ZodType, path: readonly (string | number)[]): Finding[] {
  const given = typeof issue.input === "object" && issue.input !== null ? Object.keys(issue.input) : [];
  const options = optionsAt(schema, path);
  const scored = issue.errors.map((errors, index) => {
    const option = options[index];
    const known = option === undefined ? [] : shapeKeys(option);
    return { errors, option, fit: given.filter((key) => known.includes(key)).length };
  });
  const best = scored.toSorted((a, b) => b.fit - a.fit || a.errors.length - b.errors.length)[0];
  if (best?.option === undefined || best.fit === 0) {
    const forms = options.map((option) => `{${shapeKeys(option).join(", ")}}`).join(" or ");
    return [{ path, problem: whatIs(issue.input), fix: `write ${forms}` }];
  }
  const { option } = best;
  return findings(best.errors, option).map((finding) => ({ ...finding, path: [...path, ...finding.path] }));
}

const whatIs = (input: unknown): string => (input === undefined ? "missing" : input === null ? "empty" : `${shown(input)} does not fit`);

function splitMessage(message: string): { problem: string; fix: string } {
  const at = message.indexOf("; ");
  return at === -1 ? { problem: message, fix: "" } : { problem: message.slice(0, at), fix: message.slice(at + 2) };
}

const KIND_NAMES: Readonly<Record<string, string>> = {
  object: "a mapping",
  array: "a list",
  string: "a text",
  int: "a whole number",
  number: "a number",
  record: "a mapping",
  boolean: "true or false",
};
const kindName = (expected: string): string => KIND_NAMES[expected] ?? expected;

const unitName = (origin: string): string => (origin === "string" ? "characters" : origin === "array" ? "entries" : "");

function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return unwrap(schema.def.innerType);
  if (schema instanceof z.ZodPipe) return unwrap(schema.def.in);
  return schema;
}

/** The schemas that may stand at a path; a union on the way opens into its options. */
function schemasAt(schema: unknown, path: readonly (string | number)[]): unknown[] {
  const here = unwrap(schema);
  if (here instanceof z.ZodUnion && path.length > 0) return here.options.flatMap((option) => schemasAt(option, path));
  const [first, ...rest] = path;
  if (first === undefined) return [here];
  if (here instanceof z.ZodObject) return first in here.shape ? schemasAt(here.shape[first], rest) : [];
  if (here instanceof z.ZodArray) return schemasAt(here.element, rest);
  if (here instanceof z.ZodRecord) return schemasAt(here.valueType, rest);
  return [];
}

const shapeKeys = (schema: unknown): string[] => {
  const here = unwrap(schema);
  return here instanceof z.ZodObject ? Object.keys(here.shape) : [];
};

const keysAt = (schema: z.ZodType, path: readonly (string | number)[]): string[] => [
  ...new Set(schemasAt(schema, path).flatMap(shapeKeys)),
];

function optionsAt(schema: z.ZodType, path: readonly (string | number)[]): z.ZodType[] {
  return schemasAt(schema, path).flatMap((found) =>
    found instanceof z.ZodUnion ? found.options.filter((option) => option instanceof z.ZodType) : [],
  );
}

/** The known key at an edit distance of at most 2 (a third of the length for short ones). */
function nearest(key: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.min(2, Math.ceil(key.length / 3)) ? best.name : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

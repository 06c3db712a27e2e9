import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { LiveRuleSchema, StaticRulesSchema } from "../../src/contract/rules.ts";
import { isPlainLive, isPlainRules } from "../../src/io/rules-check.ts";
import { ruleOf } from "../support/decide-inputs.ts";
import { ruleSets } from "./decide-arbitraries.ts";

/** Values that schemas are particular about. */
const oddity = fc.oneof(
  fc.constantFrom<unknown[]>(
    undefined,
    null,
    "",
    "*",
    "/",
    "a",
    "A",
    "X-User",
    "x-serin-a",
    "ä",
    -1,
    -0,
    0,
    1,
    0.5,
    10_001,
    2 ** 53,
    true,
    false,
    [],
    {},
  ),
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ maxLength: 300 }),
);

/** Puts a value, or nothing, at some place of a tree, or adds a field there. */
function altered(value: unknown, path: readonly number[], odd: unknown): unknown {
  if (typeof value !== "object" || value === null || path.length === 0) return odd;
  const [first = 0, ...rest] = path;
  if (Array.isArray(value)) {
    const at = first % (value.length + 1);
    return value.toSpliced(at, 1, altered(value[at], rest, odd));
  }
  const keys = [...Object.keys(value), "extra"];
  const key = keys[first % keys.length] ?? "extra";
  const next: Record<string, unknown> = { ...value, [key]: altered(Object(value)[key], rest, odd) };
  if (odd === undefined && rest.length === 0) delete next[key];
  return next;
}

const path = fc.array(fc.nat(9), { minLength: 1, maxLength: 6 });

describe("what passes the quick look at rules", () => {
  const rules = ruleSets.filter(({ rollouts }) => Object.keys(rollouts).length > 0).map(({ rollouts }) => Object.values(rollouts)[0]);

  test.prop([rules, path, oddity], { numRuns: 3_000 })("is what the schema takes, and leaves as it is", (rule, at, odd) => {
    const value = altered(rule?.rules, at, odd);
    const taken = StaticRulesSchema.safeParse(value);
    const isPlain = isPlainRules(value);
    expect(isPlain && !taken.success).toBe(false);
    expect(isPlain ? taken.data : undefined).toEqual(isPlain ? value : undefined);
  });

  test.prop([rules, path, oddity], { numRuns: 1_000 })("is what the schema takes of a live rule", (rule, at, odd) => {
    const value = altered(rule?.live, at, odd);
    const taken = LiveRuleSchema.safeParse(value);
    expect(isPlainLive(value) && !taken.success).toBe(false);
  });
});

test("rules in their common form pass, so that ten thousand of them cost no schema's time", () => {
  const targets = [
    { name: "beta", when: { header: { name: "x-beta", present: true as const } }, variant: "canary" as const },
    { name: "team", when: { cookie: { name: "Team", prefix: "a" } }, variant: "stable" as const },
    { name: "vip", when: { userHashes: ["0123456789abcdef"] }, variant: "canary" as const },
    { name: "none", when: { header: { name: "x-beta", exact: "" } }, variant: "stable" as const },
  ];
  const variants = { stable: { cluster: "v1", tags: {} }, canary: { cluster: "v2", tags: { "x-serin-variant": "canary" } } };
  const { rules, live } = ruleOf({ targets, variants, key: [{ header: "x-user-id" }, { cookie: "Session" }, { clientAddress: true }] });
  expect([isPlainRules(rules), isPlainLive(live)]).toEqual([true, true]);
});

test.each([
  ["a header in upper case, which the schema writes in lower case", ruleOf({ key: [{ header: "X-User" }] }).rules],
  ["users as people write them", ruleOf({ targets: [{ name: "a", when: { users: ["u"] }, variant: "canary" }] }).rules],
])("rules with %s are left to the schema", (_title, rules) => {
  expect(isPlainRules(rules)).toBe(false);
});

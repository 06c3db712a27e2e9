import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { HeaderMatchSchema, MAX_REGEX_VALUE } from "../../../../src/contract/conditions.ts";

const COUNTER = fileURLToPath(new URL("../../../support/regex-steps.mjs", import.meta.url));
/** Expressions over which engines that go back and forth take time without end, each with what its values are made of. */
const EVIL: readonly (readonly [regex: string, unit: string])[] = [
  ["(a+)+b", "a"],
  ["(a|a)*c", "a"],
  ["(a|aa)+$", "a"],
  ["(.*a){12}b", "a"],
  ["(x+x+)+y", "x"],
  ["((a?){20}a{20})*b", "a"],
  ["([a-z]+[0-9]?)*!", "abc1"],
  ["(.*)(.*)(.*)(.*)z", "ab"],
];
const LENGTHS = [MAX_REGEX_VALUE / 4, MAX_REGEX_VALUE];
/** Stretches of the engine's code for one instruction of an expression and one letter. */
const MOST_FOR_ONE = 12;

const valueOf = (unit: string, length: number): string => unit.repeat(length).slice(0, length);
const jobs = EVIL.flatMap(([regex, unit]) => LENGTHS.map((length) => ({ regex, value: valueOf(unit, length) })));
const counted: unknown = JSON.parse(execFileSync(process.execPath, [COUNTER, JSON.stringify(jobs)], { encoding: "utf8" }));
const steps = Array.isArray(counted) ? counted.map(Number) : [];

describe("a regular expression that the rules accept", () => {
  test.each(EVIL.map(([regex], index) => ({ regex, steps: steps.slice(index * 2, index * 2 + 2) })))(
    "takes steps in proportion to the value: $regex",
    ({ regex, steps: [quarter = 0, whole = 0] }) => {
      expect(HeaderMatchSchema.safeParse({ name: "x-value", regex }).success).toBe(true);
      expect(quarter).toBeGreaterThan(MAX_REGEX_VALUE / 4);
      // Four times the letters, four times the steps and some for tables that are made on the way; squared it would be sixteen.
      expect(whole).toBeLessThan(quarter * 6);
      expect(whole).toBeLessThan(MAX_REGEX_VALUE * RE2JS.compile(regex).programSize() * MOST_FOR_ONE);
    },
  );
});

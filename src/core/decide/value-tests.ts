import { RE2JS } from "re2js";
import Range from "semver/classes/range.js";
import SemVer from "semver/classes/semver.js";
import { MAX_REGEX_VALUE, type ValueMatch } from "../../contract/conditions.ts";

/** Whether one value is as wanted. */
export type ValueTest = (value: string) => boolean;

type Asked = Exclude<ValueMatch, { present: unknown }> extends infer Match ? (Match extends unknown ? Omit<Match, "name"> : never) : never;

/** What is asked of a value that is there. */
export function compileValueTest(match: Asked): ValueTest {
  if ("exact" in match) return (value) => value === match.exact;
  if ("oneOf" in match) {
    const values = new Set(match.oneOf);
    return (value) => values.has(value);
  }
  if ("prefix" in match) return (value) => value.startsWith(match.prefix);
  if ("suffix" in match) return (value) => value.endsWith(match.suffix);
  if ("contains" in match) return (value) => value.includes(match.contains);
  if ("regex" in match) return compileRegex(match.regex);
  if ("number" in match) return compileNumber(match.number);
  return compileVersion(match.version);
}

/** True where a value of the length is too long for every regular expression. */
export const isOverlong = (value: string): boolean => value.length > MAX_REGEX_VALUE;

function compileRegex(text: string): ValueTest {
  const regex = RE2JS.compile(text);
  return (value) => !isOverlong(value) && regex.testExact(value);
}

const COMPARISON = /(<=|>=|<|>|=)\s*(-?[\d.]+)/g;
const DECIMAL = /^[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})$/;

function compileNumber(text: string): ValueTest {
  const comparisons = [...text.matchAll(COMPARISON)].map(([, operator, limit]) => comparisonOf(String(operator), Number(limit)));
  return (value) => DECIMAL.test(value) && comparisons.every((holds) => holds(Number(value)));
}

function comparisonOf(operator: string, limit: number): (value: number) => boolean {
  switch (operator) {
    case "<":
      return (value) => value < limit;
    case "<=":
      return (value) => value <= limit;
    case ">":
      return (value) => value > limit;
    case ">=":
      return (value) => value >= limit;
    default:
      return (value) => value === limit;
  }
}

/** One to four numbers: apps and browsers count so; the fourth is a build. */
const PLAIN_VERSION = /^v?(?<major>\d{1,9})(?:\.(?<minor>\d{1,9}))?(?:\.(?<patch>\d{1,9}))?(?:\.\d{1,9})?$/;
const LONGEST_VERSION = 256;

/** Whether a version stands in a range. `2.4` means 2.4.0, and pre-releases stand where they are ordered. */
export function compileVersion(text: string): ValueTest {
  const range = new Range(text, { includePrerelease: true });
  return (value) => {
    const version = value.length > LONGEST_VERSION ? undefined : versionOf(value);
    return version !== undefined && range.test(version);
  };
}

function versionOf(text: string): SemVer | undefined {
  const plain = PLAIN_VERSION.exec(text)?.groups;
  try {
    return new SemVer(
      plain === undefined ? text : [plain["major"], plain["minor"], plain["patch"]].map((part) => Number(part ?? 0)).join("."),
    );
  } catch {
    return undefined; // What a client sends need not be a version.
  }
}

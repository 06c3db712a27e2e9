import type { z } from "zod";
import { PATTERNS } from "../contract/rollout.ts";
import { type LiveRule, ManifestPayloadSchema } from "../contract/rules.ts";
import { isPlainLive } from "./rules-check.ts";

const HeadSchema = ManifestPayloadSchema.omit({ live: true });

/** A manifest's payload with its live rules as text: ten thousand of them are held and compared as one string. */
export interface ManifestText {
  readonly head: z.infer<typeof HeadSchema>;
  /** JSON as `JSON.stringify` writes it, checked: name → live rule. */
  readonly live: string;
}

/** How two texts of live rules differ. */
export interface LiveChange {
  readonly changed: ReadonlyMap<string, LiveRule>;
  readonly removed: readonly string[];
}

const LIVE = ',"live":{';
/** More new names than this are quicker checked with all the others. */
const FEW = 20;

/**
 * The payload's parts where only some live rules differ from a payload that was read before; these alone are parsed and checked.
 * Undefined when the whole must be looked at, which also finds what is wrong with it.
 */
export function splitPayload(payload: string, before: ManifestText): ManifestText | undefined {
  const at = payload.indexOf(LIVE);
  if (at === -1 || !payload.endsWith("}}")) return undefined;
  const head = HeadSchema.safeParse(parse(`${payload.slice(0, at)}}`));
  if (!head.success) return undefined;
  const live = payload.slice(at + LIVE.length - 1, -1);
  return isSound(before.live, live) ? { head: head.data, live } : undefined;
}

/** Every rule of a text that was checked. */
export const allLive = (live: string): LiveChange => ({ changed: new Map(Object.entries(checkedLive(live))), removed: [] });

/** How a checked text differs from another one. */
export function compareLive(before: string, after: string): LiveChange {
  const { was, is } = differences(before, after);
  const [old, next] = [checkedLive(was), checkedLive(is)];
  return {
    changed: new Map(Object.entries(next)),
    removed: Object.keys(old).filter((name) => !Object.hasOwn(next, name)),
  };
}

/** Whether a text that differs from a checked one in some rules is sound as well. */
function isSound(before: string, after: string): boolean {
  // A comma after the last rule would be taken for the end of that rule.
  if (after !== "{}" && !after.endsWith("}}")) return false;
  const { was, is } = differences(before, after);
  const next = parse(is);
  // Written in another way, or a name twice: the boundaries between rules might be elsewhere.
  if (next === undefined || JSON.stringify(next) !== is) return false;
  const old = checkedLive(was);
  const entries = Object.entries(Object(next));
  const arrived = entries.filter(([name]) => !Object.hasOwn(old, name));
  if (arrived.length > FEW || arrived.some(([name]) => before.includes(`"${name}":{`))) return false;
  return entries.every(([name, rule]) => PATTERNS.name.test(name) && isPlainLive(rule));
}

/**
 * The rules in which two texts differ, as objects: one after another as long as both name the same, and from then on all that
 * stands before the end that they have in common. In a checked text `},` stands only between two rules.
 */
function differences(before: string, after: string): { was: string; is: string } {
  const [old, next] = [before.slice(1, -1), after.slice(1, -1)];
  const was: string[] = [];
  const is: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < next.length) {
    const same = commonStart(old, i, next, j);
    if (i + same === old.length && j + same === next.length) return joined(was, is);
    const start = startOfRule(old, i, same);
    [i, j] = [i + start, j + start];
    const [ruleBefore, ruleAfter] = [ruleAt(old, i), ruleAt(next, j)];
    if (nameIn(ruleBefore) !== nameIn(ruleAfter)) break;
    was.push(ruleBefore);
    is.push(ruleAfter);
    [i, j] = [i + ruleBefore.length + 1, j + ruleAfter.length + 1];
  }
  const left = commonRules(old, i, next, j);
  was.push(old.slice(i, Math.max(i, old.length - left)));
  is.push(next.slice(j, Math.max(j, next.length - left)));
  return joined(was, is);
}

const joined = (was: readonly string[], is: readonly string[]): { was: string; is: string } => ({
  was: `{${was.filter((rule) => rule !== "").join()}}`,
  is: `{${is.filter((rule) => rule !== "").join()}}`,
});

/** Where the rule begins in which a common stretch ends, counted from where the stretch begins. */
function startOfRule(text: string, from: number, length: number): number {
  const boundary = length < 2 ? -1 : text.lastIndexOf("},", from + length - 2);
  return boundary < from ? 0 : boundary + 2 - from;
}

function ruleAt(text: string, from: number): string {
  const boundary = text.indexOf("},", from);
  return text.slice(from, boundary === -1 ? text.length : boundary + 1);
}

const nameIn = (rule: string): string => rule.slice(0, rule.indexOf(":"));

/** Length of the rules at the end that both texts have in common, with the comma before them. */
function commonRules(a: string, fromA: number, b: string, fromB: number): number {
  const tail = commonEnd(a, b, Math.min(a.length - fromA, b.length - fromB));
  const boundary = tail <= 0 ? -1 : a.indexOf("},", a.length - tail);
  return boundary === -1 ? 0 : a.length - boundary - 1;
}

const BLOCK = 4_096;

/** Whole blocks first: comparing these costs a tenth of comparing characters. */
function commonStart(a: string, fromA: number, b: string, fromB: number): number {
  const most = Math.min(a.length - fromA, b.length - fromB);
  let count = 0;
  while (count + BLOCK <= most && a.slice(fromA + count, fromA + count + BLOCK) === b.slice(fromB + count, fromB + count + BLOCK))
    count += BLOCK;
  while (count < most && a.charCodeAt(fromA + count) === b.charCodeAt(fromB + count)) count += 1;
  return count;
}

function commonEnd(a: string, b: string, most: number): number {
  const [endA, endB] = [a.length, b.length];
  let count = 0;
  while (count + BLOCK <= most && a.slice(endA - count - BLOCK, endA - count) === b.slice(endB - count - BLOCK, endB - count))
    count += BLOCK;
  while (count < most && a.charCodeAt(endA - count - 1) === b.charCodeAt(endB - count - 1)) count += 1;
  return count;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Read as a whole, it is found where and why.
    return undefined;
  }
}

const checkedLive = (text: string): Record<string, LiveRule> => JSON.parse(text) as Record<string, LiveRule>; // checked when it was read

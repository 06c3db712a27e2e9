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
  const { was, is } = middles(before, after);
  const [old, next] = [checkedLive(was), checkedLive(is)];
  return {
    changed: new Map(Object.entries(next)),
    removed: Object.keys(old).filter((name) => !Object.hasOwn(next, name)),
  };
}

/** Whether a text that differs from a checked one in some rules is sound as well. */
function isSound(before: string, after: string): boolean {
  // Until comparing alone is shown to refuse all that reading alone refuses, what changed at all is read whole.
  if (after !== before) return false;
  const { was, is } = middles(before, after);
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
 * The parts of two texts between what they have in common at both ends, as objects of whole rules. In a checked text `},` stands
 * only between two rules.
 */
function middles(before: string, after: string): { was: string; is: string } {
  const [old, next] = [before.slice(1, -1), after.slice(1, -1)];
  const head = commonStart(old, next);
  const from = head < 2 ? 0 : old.lastIndexOf("},", head - 2) + 1;
  const start = from === 0 ? 0 : from + 1;
  const tail = commonEnd(old, next, Math.min(old.length, next.length) - start);
  const boundary = tail === 0 ? -1 : old.indexOf("},", old.length - tail);
  const left = boundary === -1 ? 0 : old.length - boundary - 1;
  return { was: `{${old.slice(start, old.length - left)}}`, is: `{${next.slice(start, next.length - left)}}` };
}

const BLOCK = 4_096;

/** Whole blocks first: comparing these costs a tenth of comparing characters. */
function commonStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at + BLOCK <= most && a.slice(at, at + BLOCK) === b.slice(at, at + BLOCK)) at += BLOCK;
  while (at < most && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  return at;
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

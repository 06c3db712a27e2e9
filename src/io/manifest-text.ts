import type * as z from "zod";
import { FORMAT } from "../contract/names.ts";
import { PATTERNS } from "../contract/rollout.ts";
import { type LiveRule, MAX_MANIFEST_BYTES, ManifestPayloadSchema } from "../contract/rules.ts";
import { isPlainLive } from "./rules-check.ts";

type LiveRules = Readonly<Record<string, LiveRule>>;

const HeadSchema = ManifestPayloadSchema.omit({ live: true });

/** A manifest with its live rules as they stand in it: ten thousand of them are held and compared as bytes, and no text of them is made. */
export interface ManifestText {
  readonly head: z.infer<typeof HeadSchema>;
  /** Name → live rule, checked: JSON as `JSON.stringify` writes it, within a JSON text of the same kind. */
  readonly live: Buffer;
}

/** How live rules differ. */
export interface LiveChange {
  readonly changed: ReadonlyMap<string, LiveRule>;
  readonly removed: readonly string[];
}

const BEGIN = `{"format":${FORMAT},"payload":"`;
const LIVE = String.raw`,\"live\":{`;
/** The end of the live rules, of the payload and of the manifest. */
const END = '}}"}';
/** More new names than this are quicker checked with all the others. */
const FEW = 20;

/**
 * A stored manifest's parts where only some live rules differ from one that was read before; these alone are parsed and checked.
 * Undefined when the whole must be looked at, which also finds what is wrong with it.
 */
export function splitManifest(data: Buffer, before: ManifestText): ManifestText | undefined {
  const at = data.indexOf(LIVE);
  if (at === -1 || data.length > MAX_MANIFEST_BYTES || !isAt(data, 0, BEGIN) || !endsWith(data, END)) return undefined;
  const payload = plainText(data.subarray(BEGIN.length, at));
  const head = HeadSchema.safeParse(payload === undefined ? undefined : parse(`${payload}}`));
  if (!head.success) return undefined;
  const live = data.subarray(at + LIVE.length - 1, data.length - END.length + 1);
  return isSound(before.live, live) ? { head: head.data, live } : undefined;
}

/** Live rules, as they stand in a manifest. */
export const liveText = (live: LiveRules): Buffer => Buffer.from(escaped(JSON.stringify(live)));

/** Every rule. */
export const allLive = (live: Buffer): LiveChange => ({ changed: new Map(Object.entries(checkedLive(live))), removed: [] });

/** How checked rules differ from other ones. */
export function compareLive(before: Buffer, after: Buffer): LiveChange {
  const [was, is] = differences(before, after);
  const [old, next] = [checkedLive(was), checkedLive(is)];
  return { changed: new Map(Object.entries(next)), removed: Object.keys(old).filter((name) => !Object.hasOwn(next, name)) };
}

/** Whether rules that differ from checked ones in some are sound as well. */
function isSound(before: Buffer, after: Buffer): boolean {
  // A comma after the last rule would be taken for the end of that rule.
  if (after.length !== 2 && !endsWith(after, "}}")) return false;
  const [was, is] = differences(before, after);
  const text = plainText(is);
  const next = text === undefined ? undefined : parse(text);
  // Written in another way, or a name twice: the boundaries between rules might be elsewhere.
  if (next === undefined || JSON.stringify(next) !== text) return false;
  const old = checkedLive(was);
  const entries = Object.entries(Object(next));
  const arrived = entries.filter(([name]) => !Object.hasOwn(old, name));
  if (arrived.length > FEW || arrived.some(([name]) => before.includes(escaped(`"${name}":{`)))) return false;
  return entries.every(([name, rule]) => PATTERNS.name.test(name) && isPlainLive(rule));
}

/** More rules that differ than this are quicker looked at with all that come after them. */
const MANY = 100;

/**
 * The rules in which two manifests differ, as objects: one after another as long as both name the same, and from then on all that
 * stands before the end that they have in common. In checked rules `},` stands only between two of them.
 */
function differences(before: Buffer, after: Buffer): [was: Buffer, is: Buffer] {
  let [old, next] = [before.subarray(1, -1), after.subarray(1, -1)];
  const was: Buffer[] = [];
  const is: Buffer[] = [];
  while (old.length > 0 && next.length > 0 && was.length < MANY) {
    const same = commonBytes(old, next, "start");
    if (same === old.length && same === next.length) return [joined(was), joined(is)];
    const start = startOfRule(old, same);
    [old, next] = [old.subarray(start), next.subarray(start)];
    const [ruleBefore, ruleAfter] = [firstRule(old), firstRule(next)];
    if (!nameIn(ruleBefore).equals(nameIn(ruleAfter))) break;
    was.push(ruleBefore);
    is.push(ruleAfter);
    [old, next] = [old.subarray(ruleBefore.length + 1), next.subarray(ruleAfter.length + 1)];
  }
  const left = commonRules(old, next);
  was.push(old.subarray(0, old.length - left));
  is.push(next.subarray(0, next.length - left));
  return [joined(was), joined(is)];
}

const [OPEN, COMMA, CLOSE] = [Buffer.from("{"), Buffer.from(","), Buffer.from("}")];

function joined(rules: readonly Buffer[]): Buffer {
  const pieces = rules.filter(({ length }) => length > 0).flatMap((rule) => [COMMA, rule]);
  return Buffer.concat([OPEN, ...pieces.slice(1), CLOSE]);
}

/** Where the rule begins in which a common stretch from the start ends. */
function startOfRule(rules: Buffer, length: number): number {
  const boundary = length < 2 ? -1 : rules.lastIndexOf("},", length - 2);
  return boundary === -1 ? 0 : boundary + 2;
}

function firstRule(rules: Buffer): Buffer {
  const boundary = rules.indexOf("},");
  return boundary === -1 ? rules : rules.subarray(0, boundary + 1);
}

const nameIn = (rule: Buffer): Buffer => rule.subarray(0, rule.indexOf(":"));

/** Length of the rules at the end that both have in common, with the comma before them. */
function commonRules(a: Buffer, b: Buffer): number {
  const boundary = a.indexOf("},", a.length - commonBytes(a, b, "end"));
  return boundary === -1 ? 0 : a.length - boundary - 1;
}

/** Large blocks first: comparing one of these costs as much as comparing two bytes. */
const BLOCKS = [65_536, 4_096, 256, 16, 1];

function commonBytes(a: Buffer, b: Buffer, side: "start" | "end"): number {
  const most = Math.min(a.length, b.length);
  const isSame = (from: number, to: number): boolean =>
    side === "start"
      ? a.compare(b, from, to, from, to) === 0
      : a.compare(b, b.length - to, b.length - from, a.length - to, a.length - from) === 0;
  let count = 0;
  for (const block of BLOCKS) while (count + block <= most && isSame(count, count + block)) count += block;
  return count;
}

const isAt = (data: Buffer, at: number, text: string): boolean => data.toString("latin1", at, at + text.length) === text;

const endsWith = (data: Buffer, text: string): boolean => isAt(data, Math.max(0, data.length - text.length), text);

/** A text as it stands within a JSON text. */
const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);

/** A piece of a JSON text; undefined where it is none, or written in another way than `JSON.stringify` does. */
function plainText(piece: Buffer): string | undefined {
  const written = piece.toString("utf8");
  const text = parse(`"${written}"`);
  return typeof text === "string" && escaped(text) === written ? text : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Read as a whole, it is found where and why.
    return undefined;
  }
}

/** Rules that were checked when they were read. */
const checkedLive = (live: Buffer): LiveRules => JSON.parse(String(JSON.parse(`"${live.toString("latin1")}"`))) as LiveRules;

import type * as z from "zod";
import { mapLeaves } from "../contract/conditions.ts";
import { shareFaults } from "../contract/lanes.ts";
import { NameSchema } from "../contract/name-schema.ts";
import { FORMAT } from "../contract/names.ts";
import { PATTERNS } from "../contract/rollout.ts";
import { type LiveRule, LiveRuleSchema, type ReadyLeaf, type ReadyRules, RuleSetSchema, StaticRulesSchema } from "../contract/rules.ts";
import { type ReadySegment, readySegment, SegmentRulesSchema } from "../contract/segments.ts";
import type { UserTable } from "../contract/user-lists.ts";
import { type ByteSource, type Entries, type EntryText, type ReadEntries, readEntries } from "./entry-reader.ts";
import { EntryFault } from "./entry-scanner.ts";
import { isPlainLive, isPlainRules } from "./rules-check.ts";

/** A document that is no rule set; the message says all that is wrong with it. */
export class RulesTextError extends Error {
  override readonly name = "RulesTextError";
}

/** A rollout of a rule set, ready to compile. */
export interface ReadyRollout {
  readonly rules: ReadyRules;
  readonly live: LiveRule;
}

interface Options<Input, Compiled> {
  /** Fingerprints by name of what was read before. */
  readonly known: ReadonlyMap<string, string>;
  /** Called for each new entry, at once, so that the text of one is garbage before the next is read. */
  compile(input: Input): Compiled;
}

interface RuleSetOptions<Compiled, Segment> extends Options<ReadyRollout, Compiled> {
  readonly segments: {
    readonly known: ReadonlyMap<string, string>;
    compile(name: string, segment: ReadySegment): Segment;
  };
}

/** What differs in a rule set from what was read before. */
export interface ReadRuleSet<Compiled, Segment> extends Entries<Compiled> {
  readonly epoch: number;
  readonly revision: number;
  readonly segments: Entries<Segment>;
}

const HeadSchema = RuleSetSchema.omit({ rollouts: true, segments: true });

/** Reads a rule set as `--rules FILE` holds it. Throws a RulesTextError. */
export async function readRuleSetText<Compiled, Segment>(
  source: ByteSource,
  { known, compile, segments }: RuleSetOptions<Compiled, Segment>,
): Promise<ReadRuleSet<Compiled, Segment>> {
  const faults: string[] = [];
  const parse = ({ name, text, tables }: EntryText): Compiled | undefined => {
    const parsed = Object(JSON.parse(text));
    const { rules, live, ...rest } = parsed;
    const ready = readyRules(rules, { tables, at: `rollouts.${name}.rules`, faults });
    const checked = isPlainLive(live) ? live : check(LiveRuleSchema, live, { at: `rollouts.${name}.live`, faults });
    checkName(name, { at: `rollouts.${name}`, faults });
    for (const key of Object.keys(rest)) faults.push(`rollouts.${name}: Unrecognized key: "${key}"`);
    if (ready === undefined || checked === undefined) return undefined;
    for (const { path, message } of shareFaults(ready.variants, checked))
      faults.push(`rollouts.${name}.live.${path.join(".")}: ${message}`);
    return compile({ rules: ready, live: checked });
  };
  const parseSegment = ({ name, text, tables }: EntryText): Segment | undefined => {
    checkName(name, { at: `segments.${name}`, faults });
    const ready = readySegmentOf(JSON.parse(text), { tables, at: `segments.${name}`, faults });
    return ready === undefined ? undefined : segments.compile(name, ready);
  };
  const beside = { container: "segments", known: segments.known, parse: parseSegment };
  const { fields, beside: readSegments, ...read } = await readChecked(source, { container: "rollouts", known, parse, beside });
  const { rollouts, segments: container = {}, ...others } = fields;
  const head = check(HeadSchema, others, { at: "", faults });
  if (Object(rollouts) !== rollouts || Array.isArray(rollouts)) faults.push("rollouts: no mapping of names to rollouts");
  if (Object(container) !== container || Array.isArray(container)) faults.push("segments: no mapping of names to segments");
  if (head === undefined || faults.length > 0) throw new RulesTextError(`not a rule set: ${faults.join(", ")}`);
  const { epoch, revision } = head;
  const found = { ...readSegments, changed: withoutFaults(readSegments.changed) };
  return { ...read, changed: withoutFaults(read.changed), epoch, revision, segments: found };
}

/** Reads a blob of static rules. Throws a RulesTextError. */
export async function readBlobText<Compiled>(
  source: ByteSource,
  { known, compile }: Options<ReadyRules, Compiled>,
): Promise<Entries<Compiled>> {
  const faults: string[] = [];
  const parse = ({ name, text, tables }: EntryText): Compiled | undefined => {
    const ready = readyRules(JSON.parse(text), { tables, at: `rollouts.${name}`, faults });
    checkName(name, { at: `rollouts.${name}`, faults });
    return ready === undefined ? undefined : compile(ready);
  };
  const { fields, ...read } = await readChecked(source, { container: "rollouts", known, parse });
  const { format, rollouts, ...rest } = fields;
  if (format !== FORMAT) faults.push(`format: not ${FORMAT}`);
  if (Object(rollouts) !== rollouts || Array.isArray(rollouts)) faults.push("rollouts: no mapping of names to rules");
  for (const key of Object.keys(rest)) faults.push(`the whole: Unrecognized key: "${key}"`);
  if (faults.length > 0) throw new RulesTextError(`not static rules: ${faults.join(", ")}`);
  return { ...read, changed: withoutFaults(read.changed) };
}

async function readChecked<Parsed, Beside = never>(
  source: ByteSource,
  options: Parameters<typeof readEntries<Parsed, Beside>>[1],
): Promise<ReadEntries<Parsed, Beside>> {
  try {
    return await readEntries(source, options);
  } catch (cause) {
    if (cause instanceof EntryFault) throw new RulesTextError(`${cause.message}`, { cause });
    if (cause instanceof SyntaxError) throw new RulesTextError("not JSON", { cause });
    throw cause;
  }
}

interface At {
  readonly at: string;
  readonly faults: string[];
}

/** Rules of one entry; undefined, with what is wrong added to the faults, when they are none. */
function readyRules(value: unknown, { tables, at, faults }: At & { tables: readonly UserTable[] }): ReadyRules | undefined {
  if (tables.length === 0) return isPlainRules(value) ? value : check(StaticRulesSchema, value, { at, faults });
  const targets: unknown[] = Array.isArray(Object(value).targets) ? Object(value).targets : [];
  let places = 0;
  const standIn = (leaf: unknown): unknown => {
    if (!isEmptyList(leaf)) return leaf;
    places += 1;
    return STAND_IN;
  };
  const filled = targets.map((target) => ({ ...Object(target), when: mapLeaves(Object(target).when, standIn) }));
  if (places !== tables.length) {
    faults.push(`${at}: a list of users stands where none may be`);
    return undefined;
  }
  const rules = check(StaticRulesSchema, { ...Object(value), targets: filled }, { at, faults });
  if (rules === undefined) return undefined;
  // Every list of hashes was read as a table, so each of them is a stand-in now, in the order of the text.
  const left = [...tables];
  const withTable = (leaf: ReadyLeaf): ReadyLeaf => {
    const userTable = "userHashes" in leaf ? left.shift() : undefined;
    return userTable === undefined ? leaf : { userTable };
  };
  return { ...rules, targets: rules.targets.map((target) => ({ ...target, when: mapLeaves(target.when, withTable) })) };
}

/** A condition that the schema takes, in the place of one whose list is a table already. */
const STAND_IN = { userHashes: ["0000000000000000"] };

/** What the reader of lists leaves of a condition. */
function isEmptyList(when: unknown): boolean {
  const { userHashes, packedUsers, ...rest } = Object(when);
  const isEmpty = packedUsers === undefined ? Array.isArray(userHashes) && userHashes.length === 0 : packedUsers === "";
  return isEmpty && Object.keys(rest).length === 0;
}

/** A segment of one entry; undefined, with what is wrong added to the faults, when it is none. */
function readySegmentOf(value: unknown, { tables, at, faults }: At & { tables: readonly UserTable[] }): ReadySegment | undefined {
  if (tables.length === 0) {
    const rules = check(SegmentRulesSchema, value, { at, faults });
    return rules === undefined ? undefined : readySegment(rules);
  }
  const { packedUsers, ...rest } = Object(value);
  const when = check(SegmentRulesSchema.omit({ packedUsers: true }), rest, { at, faults })?.when;
  if (packedUsers === "" && tables.length === 1) return { when, chunkBits: 0, chunks: tables };
  faults.push(`${at}: a list of users stands where none may be`);
  return undefined;
}

function checkName(name: string, at: At): void {
  if (!PATTERNS.name.test(name)) check(NameSchema, name, at);
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown, { at, faults }: At): z.infer<Schema> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues)
    faults.push(`${[at, ...path].filter((part) => part !== "").join(".") || "the whole"}: ${message}`);
  return undefined;
}

/** There are no faults, so each entry was compiled. */
const withoutFaults = <Compiled>(changed: ReadonlyMap<string, Compiled | undefined>): ReadonlyMap<string, Compiled> =>
  changed as ReadonlyMap<string, Compiled>; // only a fault leaves an entry out

import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { grownVariant, shareFaults } from "../contract/lanes.ts";
import { FORMAT } from "../contract/names.ts";
import type { Rollout } from "../contract/rollout.ts";
import type { LiveRule, RuleSet } from "../contract/rules.ts";
import type { SegmentRules } from "../contract/segments.ts";
import { packUsers } from "../contract/user-lists.ts";
import { segmentsIn } from "../core/decide/conditions.ts";
import { staticRulesOf } from "../core/decide/rollout-rules.ts";
import type { SegmentDocument } from "../io/documents.ts";
import { readFiles } from "./documents.ts";
import type { CliParts } from "./parts.ts";
import { segmentTable } from "./segment-users.ts";

export interface RulesFlags {
  readonly file: readonly string[];
  /** By the name of a rollout, for the variant that its stages grow, or by `NAME/VARIANT`. */
  readonly share: ReadonlyMap<string, number>;
}

/** Prints the rule set that `sidecar --rules` reads; shares are 0 % unless given. */
export async function rules({ file, share }: RulesFlags, parts: CliParts): Promise<ExitCode> {
  const { rollouts: documents, segments: segmentDocuments } = await readFiles(file);
  const names = documents.map(({ rollout }) => rollout.name);
  for (const flag of share.keys()) {
    if (!names.includes(rolloutIn(flag)))
      throw new UsageError(`--share ${flag}: no file holds a rollout of that name; there are ${names.join(", ")}`);
  }
  const rollouts: RuleSet["rollouts"] = {};
  for (const { rollout } of documents) {
    if (rollouts[rollout.name] !== undefined) throw new UsageError(`two files hold a rollout ${rollout.name}; give each its own name`);
    rollouts[rollout.name] = { rules: staticRulesOf(rollout), live: liveOf(rollout, share) };
  }
  const segments = await segmentRules(segmentDocuments);
  for (const { rollout } of documents) requireSegments(rollout, Object.keys(segments));
  const ruleSet: RuleSet = {
    format: FORMAT,
    epoch: 0,
    revision: 1,
    rollouts,
    ...(segmentDocuments.length === 0 ? {} : { segments }),
  };
  parts.out(`${JSON.stringify(ruleSet, null, 2)}\n`);
  return EXIT.done;
}

async function segmentRules(documents: readonly SegmentDocument[]): Promise<Record<string, SegmentRules>> {
  const segments: Record<string, SegmentRules> = {};
  for (const document of documents) {
    const { name, when } = document.segment;
    const table = await segmentTable(document);
    segments[name] = { ...(when === undefined ? {} : { when }), ...(table.length === 0 ? {} : { packedUsers: packUsers(table) }) };
  }
  return segments;
}

/** A sidecar would count nobody in a segment that it does not know. */
function requireSegments({ name, targets }: Rollout, known: readonly string[]): void {
  for (const segment of targets.flatMap(({ when }) => segmentsIn(when))) {
    if (known.includes(segment)) continue;
    const there = known.length === 0 ? "no file holds a segment" : `there are ${known.join(", ")}`;
    throw new UsageError(`rollout ${name} asks for the segment ${segment}, and ${there}; name its file too, by -f FILE`);
  }
}

const rolloutIn = (flag: string): string => flag.split("/", 1)[0] ?? "";

/** What the flags say of one rollout. Throws UsageError where its lanes do not take it. */
function liveOf({ name, variants, onUnwatched }: Rollout, share: ReadonlyMap<string, number>): LiveRule {
  const grown = grownVariant(variants);
  let shareBp = 0;
  const shares: Record<string, number> = {};
  for (const [flag, given] of share) {
    if (rolloutIn(flag) !== name) continue;
    const variant = flag === name ? grown : flag.slice(name.length + 1);
    if (variant === grown) shareBp = given;
    else shares[variant] = given;
  }
  const [fault] = shareFaults(variants, { shareBp, shares });
  if (fault !== undefined) {
    const [, variant] = fault.path;
    throw new UsageError(`--share ${variant === undefined ? name : `${name}/${variant}`}: ${fault.message}`);
  }
  const live = { run: 1, shareBp, off: false, whenUnwatched: onUnwatched };
  return Object.keys(shares).length === 0 ? live : { ...live, shares };
}

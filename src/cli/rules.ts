import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { FORMAT } from "../contract/names.ts";
import type { Rollout } from "../contract/rollout.ts";
import type { RuleSet } from "../contract/rules.ts";
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
  readonly share: ReadonlyMap<string, number>;
}

/** Prints the rule set that `sidecar --rules` reads; shares are 0 % unless given. */
export async function rules({ file, share }: RulesFlags, parts: CliParts): Promise<ExitCode> {
  const { rollouts: documents, segments: segmentDocuments } = await readFiles(file);
  const names = documents.map(({ rollout }) => rollout.name);
  for (const name of share.keys()) {
    if (!names.includes(name)) throw new UsageError(`--share ${name}: no file holds a rollout of that name; there are ${names.join(", ")}`);
  }
  const rollouts: RuleSet["rollouts"] = {};
  for (const { rollout } of documents) {
    if (rollouts[rollout.name] !== undefined) throw new UsageError(`two files hold a rollout ${rollout.name}; give each its own name`);
    const shareBp = share.get(rollout.name) ?? 0;
    rollouts[rollout.name] = { rules: staticRulesOf(rollout), live: { run: 1, shareBp, off: false, whenUnwatched: rollout.onUnwatched } };
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

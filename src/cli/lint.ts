import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { SAFE_METHODS } from "../contract/mirror.ts";
import { isTagOnly, type Rollout } from "../contract/rollout.ts";
import { segmentsIn } from "../core/decide/conditions.ts";
import { overlaps } from "../core/decide/overlap.ts";
import { readFiles } from "./documents.ts";
import type { CliParts } from "./parts.ts";
import { segmentTable } from "./segment-users.ts";

export interface LintFlags {
  readonly file: readonly string[];
  readonly json?: boolean;
}

/** Checks files without a server: a fault is an error with its place and fix (2), what only may be wrong is said as a warning. */
export async function lint(flags: LintFlags, parts: CliParts): Promise<ExitCode> {
  const documents = await readFiles(flags.file);
  for (const segment of documents.segments) await segmentTable(segment);
  const rollouts = documents.rollouts.map(({ rollout }) => rollout);
  const segments = documents.segments.map(({ segment }) => segment.name);
  const warnings = [...rivals(rollouts), ...strangers(rollouts, segments), ...twice(rollouts)];
  const names = rollouts.map(({ name }) => name);
  if (flags.json === true) parts.out(`${JSON.stringify({ rollouts: names, segments, policy: documents.policies.length > 0, warnings })}\n`);
  else {
    if (documents.policies.length > 0) parts.out("policy: valid\n");
    for (const name of segments) parts.out(`segment ${name}: valid\n`);
    for (const name of names) parts.out(`${name}: valid\n`);
    for (const warning of warnings) parts.error(`warning: ${warning}\n`);
  }
  return EXIT.done;
}

/** Pairs of which one is refused while the other runs. */
const rivals = (rollouts: readonly Rollout[]): string[] =>
  rollouts.flatMap((one, index) =>
    rollouts
      .slice(index + 1)
      .filter((other) => !isTagOnly(one.variants) && !isTagOnly(other.variants) && overlaps(one.match, other.match))
      .map((other) => `${one.name} and ${other.name} would both govern the same host and path; only one of them can run at a time`),
  );

/** Segments that no file brings along. */
const strangers = (rollouts: readonly Rollout[], segments: readonly string[]): string[] =>
  rollouts.flatMap(({ name, targets }) =>
    [...new Set(targets.flatMap(({ when }) => segmentsIn(when)))]
      .filter((segment) => !segments.includes(segment))
      .map((segment) => `${name} asks for segment ${segment}, which is in none of these files; it must be applied before`),
  );

/** What a shadow is made to do though stable does it too. */
const twice = (rollouts: readonly Rollout[]): string[] =>
  rollouts.flatMap(({ name, mirror }) => {
    const unsafe = (mirror?.methods ?? []).filter((method) => !SAFE_METHODS.includes(method));
    if (mirror === undefined || unsafe.length === 0) return [];
    return [`${name} copies ${unsafe.join(", ")} too: what those change is changed a second time by cluster ${mirror.cluster}`];
  });

import { readFile } from "node:fs/promises";
import { DocumentError, type Fault, UsageError } from "../contract/errors.ts";
import type { PolicyInput } from "../contract/policy.ts";
import type { Rollout } from "../contract/rollout.ts";
import { type Documents, type RolloutDocument, readDocuments, type SegmentDocument } from "../io/documents.ts";

/** Reads and checks all files together. Throws DocumentError with the faults of all of them, and UsageError where two hold the same segment, or a policy. */
export async function readFiles(files: readonly string[]): Promise<Documents> {
  if (files.length === 0) throw new UsageError("no file given; name one by -f FILE");
  const rollouts: RolloutDocument[] = [];
  const segments: SegmentDocument[] = [];
  const policies: PolicyInput[] = [];
  const faults: Fault[] = [];
  for (const file of files) {
    try {
      const read = readDocuments(await readText(file), file);
      rollouts.push(...read.rollouts);
      segments.push(...read.segments);
      policies.push(...read.policies);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length > 0) throw new DocumentError(faults);
  const names = segments.map(({ segment }) => segment.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`two files hold a segment ${twice}; give each its own name`);
  if (policies.length > 1) throw new UsageError("two files hold a policy; write all of it into one");
  return { rollouts, segments, policies };
}

/** The text of a user's file. Throws UsageError when it cannot be read. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(
      `${file} cannot be read (${cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"}); name a file that exists`,
      { cause },
    );
  }
}

/** The rollout of that name in a file, or the only one; `verb` is the command that asks for it. */
export async function oneRollout(file: string, name: string | undefined, verb: string): Promise<Rollout> {
  const rollouts = (await readFiles([file])).rollouts.map(({ rollout }) => rollout);
  const found = name === undefined && rollouts.length === 1 ? rollouts[0] : rollouts.find((rollout) => rollout.name === name);
  if (found !== undefined) return found;
  const names = rollouts.map((rollout) => rollout.name).join(", ") || "no rollout";
  throw new UsageError(`${file} holds ${names}; name one, like \`serin ${verb} NAME -f ${file}\``);
}

import { UsageError } from "../contract/errors.ts";
import type { ExitCode } from "../contract/exit-codes.ts";
import { oneRollout } from "./documents.ts";
import type { CliParts } from "./parts.ts";
import { replayLines } from "./replay-lines.ts";
import { replayRecorded } from "./replay-recorded.ts";

export interface ReplayFlags {
  readonly file?: string;
  readonly nats: string;
  readonly attempt?: number;
}

/** Takes recorded measurements through the judge and the plan of a rollout, and prints a JSON line for each tick. */
export async function replay(name: string | undefined, flags: ReplayFlags, parts: CliParts): Promise<ExitCode> {
  if (flags.file === undefined) {
    if (name === undefined) throw new UsageError("no rollout is named; give -f FILE and ticks on stdin, or a name whose ticks are in NATS");
    return replayRecorded(name, flags, parts);
  }
  const rollout = await oneRollout(flags.file, name, "replay");
  const lines = parts.input();
  if (lines === undefined) throw new UsageError(`no ticks come in; write \`serin replay -f ${flags.file} < ticks.jsonl\``);
  return replayLines(rollout, lines, parts);
}

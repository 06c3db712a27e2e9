import { UsageError } from "../contract/errors.ts";
import type { ExitCode } from "../contract/exit-codes.ts";
import { oneRollout } from "./documents.ts";
import type { CliParts } from "./parts.ts";
import { replayLines } from "./replay-lines.ts";
import { type PrometheusFlags, replayPrometheus } from "./replay-prometheus.ts";
import { type RecordedFlags, replayRecorded } from "./replay-recorded.ts";

export interface ReplayFlags extends RecordedFlags, Omit<PrometheusFlags, "prometheus"> {
  readonly file?: string;
  readonly prometheus?: string;
}

/** Takes recorded measurements through the judge and the plan of a rollout, and prints a JSON line for each tick. */
export async function replay(name: string | undefined, flags: ReplayFlags, parts: CliParts): Promise<ExitCode> {
  if (flags.file === undefined) {
    if (flags.prometheus !== undefined) throw new UsageError("--prometheus needs the rollout whose plan is replayed; give -f FILE");
    if (name === undefined) throw new UsageError("no rollout is named; give -f FILE and ticks on stdin, or a name whose ticks are in NATS");
    return replayRecorded(name, flags, parts);
  }
  const rollout = await oneRollout(flags.file, name, "replay");
  const { prometheus } = flags;
  if (prometheus !== undefined) return replayPrometheus(rollout, { ...flags, prometheus }, parts);
  const lines = parts.input();
  if (lines === undefined) throw new UsageError(`no ticks come in; write \`serin replay -f ${flags.file} < ticks.jsonl\``);
  return replayLines(rollout, lines, parts);
}

import type * as z from "zod";
import { SerinError, UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { Rollout } from "../contract/rollout.ts";
import { TickSchema, TickStartSchema } from "../contract/ticks.ts";
import { findings } from "../io/schema-findings.ts";
import type { CliParts } from "./parts.ts";
import { replayTicks, type TickReplay } from "./replay-ticks.ts";

const FIRST = 'write {"tickS": 5, "bounds": [10, 20], "history": []} first, then a tick a line';

/** A line that is no tick, or not the first line that ticks need. */
class LineError extends SerinError {
  override readonly name = "LineError";
  constructor(line: number, problem: string, fix: string) {
    super("TICK_INVALID", EXIT.usage, `line ${line}: ${problem}; ${fix}`);
  }
}

/**
 * Replays ticks of JSON lines as they come. A line that is no tick is said, and the others are judged without it; the exit code is
 * then 2. Throws UsageError where the first line is wrong, or there is none.
 */
export async function replayLines(rollout: Rollout, lines: AsyncIterable<string>, parts: CliParts): Promise<ExitCode> {
  let replay: TickReplay | undefined;
  let schema = TickSchema;
  let code: ExitCode = EXIT.done;
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === "") continue;
    if (replay === undefined) {
      const start = parsed(TickStartSchema, line, number, FIRST);
      schema = tickSchemaOf(start.bounds.length + 1);
      replay = replayTicks(rollout, start, parts);
      continue;
    }
    try {
      replay.take(parsed(schema, line, number, "see `docs/reference/ticks.md` for the form of a tick"), `line ${number}`);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      parts.error(`${error.message}\n`);
      code = error.exitCode;
    }
  }
  if (replay === undefined) throw new UsageError(`no ticks came in; ${FIRST}`);
  parts.error(replay.summary());
  return code;
}

/** Ticks with as many buckets as the first line says. */
const tickSchemaOf = (buckets: number): typeof TickSchema =>
  TickSchema.superRefine(({ stable, canary, stable_split: halves = [] }, context) => {
    for (const [index, { hist }] of [stable, canary, ...halves].entries()) {
      if (hist.length === 0 || hist.length === buckets) continue;
      const path = [["stable"], ["canary"], ["stable_split", 0], ["stable_split", 1]][index] ?? [];
      const message = `${hist.length} counts, but the bounds of the first line make ${buckets} buckets`;
      context.addIssue({ code: "custom", path: [...path, "hist"], message });
    }
  });

function parsed<Schema extends z.ZodType>(schema: Schema, line: string, number: number, fix: string): z.infer<Schema> {
  const result = schema.safeParse(jsonOf(line, number), { reportInput: true });
  if (result.success) return result.data;
  const faults = findings(result.error.issues, schema).map(
    (found) => `${found.path.join(".") || "the line"}: ${found.problem}; ${found.fix}`,
  );
  throw new LineError(number, faults.join(", "), fix);
}

function jsonOf(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // What the parser says of a place in a line of numbers helps nobody.
    throw new LineError(number, "not JSON", "each line is one JSON object, whole");
  }
}

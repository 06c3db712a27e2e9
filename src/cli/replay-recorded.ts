import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { STREAMS, SUBJECTS } from "../contract/names.ts";
import { type RecordedTick, RecordedTickSchema } from "../contract/ticks.ts";
import { NOTHING_REPEATED, repeat } from "../core/replay/repeat.ts";
import { actionOf, type Standing } from "../core/replay/replay.ts";
import { type NatsLink, readLast } from "../io/nats.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { decodeStored } from "../io/store.ts";
import { messagesOf } from "../io/stream-messages.ts";
import { withNats } from "./connection.ts";
import type { CliParts } from "./parts.ts";

/** Which recorded ticks; the newest attempt's when `attempt`, its first run, is absent. */
export interface RecordedFlags extends NatsFlags {
  readonly attempt?: number;
}

/** Judges recorded batches once more; 0 when each verdict and the hash of its inputs is the recorded one, 3 when one differs. */
export const replayRecorded = (name: string, { attempt, ...flags }: RecordedFlags, parts: CliParts): Promise<ExitCode> =>
  withNats(flags, async (link) => {
    const subject = SUBJECTS.ticks(name);
    // The one stream that may be missing beside the others.
    const last = await readLast({ ...link, doubtsSilence: false }, STREAMS.ticks, subject);
    if (last === undefined)
      throw new UsageError(
        `no ticks of ${name} are recorded, or the NATS server that keeps them is away; \`serin status\` names the rollouts, and ticks are kept for 7 days`,
      );
    const firstRun = attempt ?? decodeStored(RecordedTickSchema, last).firstRun;
    const { judged, differ, unknown, ...rest } = await repeatAll(ticksOf(link, name, firstRun), parts);
    const counts = [
      `${judged} ticks judged`,
      ...(unknown > 0 ? [`${unknown} not, for one before them is missing or of another version`] : []),
      ...(rest.again > 0 ? [`${rest.again} not counted again`] : []),
      ...(rest.missing > 0 ? [`${rest.missing} missing`] : []),
    ];
    const end = differ === 0 ? "each verdict is as recorded" : `${differ} differ from what is recorded`;
    if (judged === 0)
      throw new UsageError(`${name}: no tick of the attempt that began with run ${firstRun} can be judged: ${counts.join(", ")}`);
    parts.error(`${name}, attempt that began with run ${firstRun}: ${counts.join(", ")}; ${end}\n`);
    return differ === 0 ? EXIT.done : EXIT.rolledBack;
  });

async function* ticksOf(link: NatsLink, name: string, firstRun: number): AsyncGenerator<RecordedTick> {
  for await (const stored of messagesOf(link, STREAMS.ticks, SUBJECTS.ticks(name))) {
    const tick = decodeStored(RecordedTickSchema, stored);
    if (tick.firstRun === firstRun) yield tick;
  }
}

async function repeatAll(ticks: AsyncIterable<RecordedTick>, parts: CliParts) {
  const counts = { judged: 0, differ: 0, unknown: 0, again: 0, missing: 0 };
  let repeated = NOTHING_REPEATED;
  let standing: Standing = { phase: "pending", shareBp: 0 };
  for await (const tick of ticks) {
    const { after, missing, outcome } = repeat(repeated, tick);
    if (repeated.term > 0 && after.term !== repeated.term)
      parts.error(`the leader of term ${after.term} goes on from the state that it found\n`);
    if (missing > 0) parts.error(`${missing} missing before tick ${tick.sequence} of term ${tick.term}\n`);
    repeated = after;
    counts.missing += missing;
    if (outcome.type !== "judged") {
      counts[outcome.type] += 1;
      continue;
    }
    const { record, isEqual } = outcome;
    const { shareBp, verdict, inputs } = tick;
    const action = actionOf(standing, tick);
    const line = {
      t: counts.judged,
      verdict: record.verdict,
      action,
      share: shareBp / 10_000,
      record,
      recorded: { verdict, inputs },
      isEqual,
    };
    parts.out(`${JSON.stringify(line)}\n`);
    standing = tick;
    counts.judged += 1;
    if (!isEqual) counts.differ += 1;
  }
  return counts;
}

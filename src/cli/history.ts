import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { Attempt, History } from "../contract/history.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { listAudit, readLive } from "../io/store.ts";
import { duration, share } from "../told/format.ts";
import { historyOf } from "../told/history.ts";
import { momentText, whoText } from "../told/who-text.ts";
import { withNats } from "./connection.ts";
import type { CliParts } from "./parts.ts";
import { noSuchRollout } from "./status.ts";

export interface HistoryFlags extends NatsFlags {
  readonly steps?: boolean;
  readonly json?: boolean;
}

/** Tells of a rollout's attempts, newest first: who began each, how it ended and why. */
export function history(name: string, flags: HistoryFlags, parts: CliParts): Promise<ExitCode> {
  return withNats(flags, async (link) => {
    const told = historyOf(name, await listAudit(link, name, Number.POSITIVE_INFINITY));
    if (told.attempts.length === 0 && (await readLive(link, name)) === undefined) throw noSuchRollout(name);
    parts.out(flags.json === true ? `${JSON.stringify(told)}\n` : historyText(told, flags.steps === true));
    return EXIT.done;
  });
}

/** The history for people. */
export function historyText({ rollout, attempts }: History, withSteps: boolean): string {
  const count = attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts, newest first`;
  return `${[`${rollout}: ${count}`, ...attempts.flatMap((attempt) => ["", ...attemptLines(attempt, withSteps)])].join("\n")}\n`;
}

const OUTCOME_TEXT: Readonly<Record<Attempt["outcome"], string>> = {
  running: "under way for",
  promoted: "promoted, waiting for hand-over, after",
  handedOver: "handed over after",
  rolledBack: "rolled back after",
};

function attemptLines(attempt: Attempt, withSteps: boolean): string[] {
  const { outcome, lastedMs, why, by, beganAtMs, who, reason, verdict, runs, topShareBp, steps } = attempt;
  const last = attempt.attempt + runs - 1;
  return [
    `${OUTCOME_TEXT[outcome]} ${duration(lastedMs)}: ${why} (${whoText(by)})`,
    `  began ${momentText(beganAtMs)} by ${whoText(who)}${reason === undefined ? "" : `: ${reason}`}`,
    `  ${runs === 1 ? `run ${last}` : `runs ${attempt.attempt} to ${last}`}, at most ${share(topShareBp)}`,
    ...(verdict === null ? [] : [`  last verdict ${verdict.verdict}: ${verdict.reason}`]),
    ...(withSteps ? steps.map(stepLine) : []),
  ];
}

const stepLine = ({ atMs, action, who, reason, run, shareBp }: Attempt["steps"][number]): string =>
  `  ${momentText(atMs)} ${action}, run ${run ?? "–"}, ${share(shareBp)}, by ${whoText(who)}${reason === undefined ? "" : `: ${reason}`}`;

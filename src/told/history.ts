import type { Attempt, History } from "../contract/history.ts";
import type { Audit } from "../contract/messages.ts";
import { type VerdictRecord, VerdictRecordSchema } from "../contract/verdict.ts";

/** The attempts of a rollout, out of its audit; `lines` are oldest first. */
export function historyOf(rollout: string, lines: readonly Audit[]): History {
  const attempts: Audit[][] = [];
  for (const line of lines) {
    const current = attempts.at(-1);
    if (current === undefined || begins(line, current)) attempts.push([line]);
    else current.push(line);
  }
  return { rollout, attempts: attempts.flatMap((of) => attemptOf(of) ?? []).toReversed() };
}

/** A line of another attempt; lines that older leaders wrote name none, and there an attempt begins with `apply`. */
const begins = ({ attempt, action }: Audit, [first]: readonly Audit[]): boolean =>
  attempt === undefined || first?.attempt === undefined ? action === "apply" : attempt !== first.attempt;

function attemptOf(lines: readonly Audit[]): Attempt | undefined {
  const [first] = lines;
  const last = lines.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const runs = lines.flatMap(({ run }) => (run === undefined ? [] : [run]));
  const [least = 0, most = 0] = [Math.min(...runs), Math.max(...runs)].filter(Number.isFinite);
  const end = lines.findLast(({ action }) => action === "rolledBack" || action === "handedOver");
  const turn = lines.findLast(({ action }) => action === "rollback") ?? end ?? last;
  const endedAtMs = end?.atMs ?? null;
  return {
    attempt: first.attempt ?? least,
    runs: Math.max(1, most - least + 1),
    who: first.who,
    ...(first.reason === undefined ? {} : { reason: first.reason }),
    beganAtMs: first.atMs,
    outcome: outcomeOf(lines),
    endedAtMs,
    lastedMs: Math.max(0, (endedAtMs ?? last.atMs) - first.atMs),
    why: turn.reason ?? turn.action,
    by: turn.who,
    topShareBp: Math.max(0, ...lines.map(({ shareBp = 0 }) => shareBp)),
    verdict: lines.map(verdictOf).findLast((verdict) => verdict !== null) ?? null,
    steps: lines.map(({ atMs, action, who, reason, run, shareBp }) => ({
      atMs,
      action,
      who,
      ...(reason === undefined ? {} : { reason }),
      ...(run === undefined ? {} : { run }),
      ...(shareBp === undefined ? {} : { shareBp }),
    })),
  };
}

function outcomeOf(lines: readonly Audit[]): Attempt["outcome"] {
  for (const { action } of lines.toReversed()) {
    if (action === "rolledBack" || action === "handedOver" || action === "promoted") return action;
    if (action === "rollback") return "running";
  }
  return "running";
}

function verdictOf({ detail }: Audit): Attempt["verdict"] {
  const record = verdictIn(detail);
  return record === undefined ? null : { verdict: record.verdict, reason: record.reason, atMs: record.atMs };
}

/** The verdict that a line of the audit holds; undefined where it holds none that can be read. */
export function verdictIn(detail: Audit["detail"]): VerdictRecord | undefined {
  const record = VerdictRecordSchema.safeParse(detail);
  return record.success ? record.data : undefined;
}

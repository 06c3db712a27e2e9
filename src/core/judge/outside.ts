import type { CheckRecord, Verdict, VerdictRecord } from "../../contract/verdict.ts";
import type { GaugeFinding } from "./gauge.ts";

/** What a check says that nobody bets on: a webhook, a gauge, or a counter that cannot be read. */
export interface OutsideFinding {
  readonly name: string;
  /** A critical one is obeyed; all others advise. */
  readonly isCritical: boolean;
  readonly verdict: Verdict;
  /** For people. */
  readonly reason: string;
  /** The figures of a gauge. */
  readonly gauge?: GaugeFinding;
}

/**
 * The record with what the judge does not bet on. In this order: a critical `rollback` rolls back; a critical `hold` or `unknown` makes
 * `advance` and `unknown` a `hold`, for a ramp begins by the clock while little is known; the others are told, and where they warn of harm the
 * reason says so.
 */
export function withOutside(record: VerdictRecord, findings: readonly OutsideFinding[]): VerdictRecord {
  if (findings.length === 0) return record;
  const known = new Set(record.checks.map(({ name }) => name));
  const checks = [...record.checks, ...findings.filter(({ name }) => !known.has(name)).map(checkOf)];
  const critical = findings.filter(({ isCritical }) => isCritical);
  const harm = critical.find(({ verdict }) => verdict === "rollback");
  if (harm !== undefined && record.verdict !== "rollback")
    return { ...record, checks, verdict: "rollback", reason: textOf(harm), safeShareBp: 0 };
  const isOpen = record.verdict === "advance" || record.verdict === "unknown";
  const doubt = isOpen ? critical.find(({ verdict }) => verdict !== "advance") : undefined;
  const told = findings.filter((finding) => finding !== doubt && isTold(finding)).map(textOf);
  const first = doubt === undefined ? record.reason : textOf(doubt);
  return { ...record, checks, verdict: doubt === undefined ? record.verdict : "hold", reason: [first, ...told].join("; ") };
}

/** No word from one that only advises is no news. */
const isTold = ({ isCritical, verdict }: OutsideFinding): boolean =>
  verdict === "hold" || verdict === "rollback" || (isCritical && verdict === "unknown");

const textOf = ({ name, reason }: OutsideFinding): string => `${name}: ${reason}`;

function checkOf({ name, verdict, gauge }: OutsideFinding): CheckRecord {
  const { stable = null, canary = null, lower = null, upper = null, threshold = 0, blocks = 0 } = gauge ?? {};
  const difference = stable === null || canary === null ? null : canary - stable;
  const sample = { stableSample: blocks, canarySample: blocks };
  return {
    name,
    verdict,
    weight: 0,
    stable,
    canary,
    difference,
    lower,
    upper,
    threshold,
    odds: 1,
    dispersion: 1,
    ...sample,
    isRatio: false,
  };
}

import type { VerdictRecord } from "../../contract/verdict.ts";
import { countText, pointsText, ratioText } from "./figures.ts";
import { comparison, type Finding, findingOf, suspicion } from "./finding.ts";
import { ALPHA, HOLD_ODDS, METRICS, OVERDUE_MS } from "./parameters.ts";
import type { JudgeState } from "./state.ts";
import type { JudgePolicy } from "./types.ts";

type Answer = Pick<VerdictRecord, "verdict" | "reason" | "safeShareBp">;

/** Errors decide what is safe; slowness only speaks against a canary, or good ones would stall on its coarse buckets. */
const [ERRORS, ...SLOW] = METRICS;

/** What the evidence so far says, with every number that led to it. Harm goes before ignorance, and ignorance before safety: what is not known never advances. */
export function recordOf(policy: JudgePolicy, state: JudgeState): VerdictRecord {
  const errors = findingOf(ERRORS, state);
  const findings = [errors, ...SLOW.map((metric) => findingOf(metric, state))];
  const odds = findings.reduce((all, { weighted }) => all + weighted, 0);
  const answer = harmIn(findings, state) ?? whatIsKnown(errors, findings, { policy, state });
  const checks = findings.map(({ check }) => check);
  const { nowMs, sinceMs, run, runSample } = state;
  const unended = { stable: state.overdue.stable.unended, canary: state.overdue.canary.unended };
  const { alpha } = policy;
  return { ...answer, proven: "", odds, alpha, checks, inputs: "", unended, atMs: nowMs, sinceMs, run, runSample };
}

/** A weighted mean of odds against the same claim is such odds again, however the checks depend on each other. */
function harmIn(findings: readonly Finding[], state: JudgeState): Answer | undefined {
  const evidence = findings.reduce((all, { weighted }) => all + weighted, 0);
  return evidence < 1 / ALPHA ? undefined : { verdict: "rollback", reason: suspected(findings, state), safeShareBp: 0 };
}

/** The worst check for people; requests that hang are said, as they stand in no log. */
function suspected(findings: readonly Finding[], { overdue }: JudgeState): string {
  const worst = worstOf(findings);
  const { unended } = overdue.canary;
  const hanging = worst.check.name === ERRORS.name || unended === 0 ? "" : `; ${unendedText(unended)}`;
  return suspicion(worst) + hanging;
}

const unendedText = (unended: number): string => `${countText(unended)} of the canary's requests not ended after ${OVERDUE_MS / 1_000} s`;

const worstOf = (findings: readonly Finding[]): Finding => findings.reduce((a, b) => (b.weighted > a.weighted ? b : a));

function whatIsKnown(errors: Finding, findings: readonly Finding[], { policy, state }: { policy: JudgePolicy; state: JudgeState }): Answer {
  const { stableSample, canarySample, stable } = errors.check;
  const unknown = (reason: string): Answer => ({ verdict: "unknown", reason, safeShareBp: 0 });
  if (canarySample === 0) return unknown("no outcome of the canary yet");
  if (stableSample === 0) return unknown("no outcome of stable to compare the canary with");

  const times = errors.provenTimes;
  const safeShareBp = times === null ? 0 : Math.min(10_000, Math.floor(10_000 / times));
  const hold = (reason: string): Answer => ({ verdict: "hold", reason, safeShareBp });
  const doubtful = findings.filter(({ check }) => check.odds >= HOLD_ODDS);
  if (doubtful.length > 0) return hold(suspected(doubtful, state));
  if (times === null) return unknown(`too little to prove anything: ${countText(canarySample)} outcomes of the canary`);
  if (state.metrics.errors.isStableIll) return hold(`stable itself fails more than usual, ${ratioText(stable)} over the whole rollout`);
  if (state.runSample < policy.minSample) {
    return hold(`${countText(state.runSample)} of ${countText(policy.minSample)} outcomes of the canary in this stage`);
  }
  const atMost = pointsText(times * errors.check.threshold);
  return {
    verdict: "advance",
    reason: `${comparison(errors)}: worse by at most ${atMost}, safe up to ${ratioText(safeShareBp / 10_000)}`,
    safeShareBp,
  };
}

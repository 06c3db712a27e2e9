import type { VerdictRecord } from "../../contract/verdict.ts";
import { countText, oddsText, pointsText, ratioText } from "./figures.ts";
import { comparison, type Finding, findingOf, suspicion } from "./finding.ts";
import { CLUMPED, HOLD_ODDS, OVERDUE_MS, RELAXED, RELAXED_ODDS } from "./parameters.ts";
import { askedOf, isAboutErrors, type Question } from "./questions.ts";
import { rateOf } from "./rate.ts";
import { safeShareBp, type Unproven } from "./safe-share.ts";
import { countOf } from "./slow.ts";
import type { JudgeState } from "./state.ts";
import type { JudgePolicy } from "./types.ts";
import { oddsOf, reserveLeft } from "./wager.ts";

type Answer = Pick<VerdictRecord, "verdict" | "reason" | "safeShareBp">;

const FULL_BP = 10_000;
/** Part of the wager that is on an objective, where there is one. */
const OBJECTIVE_WEIGHT = 0.2;

/** All that a verdict is drawn from. */
interface Scene {
  readonly policy: JudgePolicy;
  readonly state: JudgeState;
  readonly findings: readonly Finding[];
  /** The errors that safety is asked about. */
  readonly errors: Finding;
  readonly evidence: number;
}

/** What the evidence so far says, with every number that led to it. Harm goes before ignorance, and ignorance before safety: what is not known never advances. */
export function recordOf(policy: JudgePolicy, questions: readonly Question[], state: JudgeState): VerdictRecord {
  const moment = { policy, state, reserve: reserveLeft(state) };
  const findings = askedOf(questions, state).map((question) => findingOf(question, moment));
  const scene: Scene = { policy, state, findings, errors: errorsIn(findings), evidence: evidenceOf(policy, findings, state) };
  const { nowMs, sinceMs, canaryAtMs, run, runSample, inputs, overdue } = state;
  const { verdict, reason, safeShareBp: safe } = harmIn(scene) ?? whatIsKnown(scene);
  const record: VerdictRecord = {
    verdict,
    reason,
    safeShareBp: safe,
    proven: provenText(scene),
    odds: scene.evidence,
    alpha: policy.alpha,
    checks: findings.map(({ check }) => check),
    unended: { stable: overdue.stable.unended, canary: overdue.canary.unended },
    atMs: nowMs,
    sinceMs,
    run,
    runSample,
    inputs,
  };
  const rate = rateOf(state);
  if (canaryAtMs !== null) record.canaryAtMs = canaryAtMs;
  if (rate !== undefined) record.rate = rate;
  return record;
}

/** Users that fail for the first time where users are known; failed requests else. */
const errorsIn = (findings: readonly Finding[]): Finding => {
  const [first] = findings.filter(({ question }) => isAboutErrors(question));
  if (first === undefined) throw new Error("a judge without a question about errors");
  return first;
};

/** A weighted mean of odds against the same claim is such odds again, however the checks depend on each other. */
function evidenceOf({ errorObjective }: JudgePolicy, findings: readonly Finding[], state: JudgeState): number {
  const ofChecks = findings.reduce((all, { weighted }) => all + weighted, 0);
  if (errorObjective === undefined) return ofChecks;
  return (1 - OBJECTIVE_WEIGHT) * ofChecks + OBJECTIVE_WEIGHT * oddsOf(state.objective.wealth, reserveLeft(state));
}

function harmIn(scene: Scene): Answer | undefined {
  if (scene.evidence < 1 / scene.policy.alpha) return undefined;
  return { verdict: "rollback", reason: suspected(scene), safeShareBp: 0 };
}

/** The worst for people; requests that hang are said, as they stand in no log. */
function suspected({ findings, policy, state, errors, evidence }: Scene): string {
  const worst = findings.reduce((a, b) => (b.weighted > a.weighted ? b : a));
  if (policy.errorObjective !== undefined && worst.weighted < evidence / 2) {
    const { canary } = errors.check;
    return `errors ${ratioText(canary)} on canary, above the objective of ${ratioText(policy.errorObjective)}: ${oddsText(evidence)}`;
  }
  const { unended } = state.overdue.canary;
  return suspicion(worst) + (isAboutErrors(worst.question) || unended === 0 ? "" : `; ${unendedText(unended)}`);
}

const unendedText = (unended: number): string => `${countText(unended)} of the canary's requests not ended after ${OVERDUE_MS / 1_000} s`;

function whatIsKnown(scene: Scene): Answer {
  const { policy, state, errors, evidence } = scene;
  const { stableSample, canarySample, stable, upper } = errors.check;
  const unknown = (reason: string): Answer => ({ verdict: "unknown", reason, safeShareBp: 0 });
  if (canarySample === 0) return unknown("no outcome of the canary yet");
  if (stableSample === 0) return unknown("no outcome of stable to compare the canary with");

  const safeShare = isProven(scene) ? FULL_BP : safeShareBp(unprovenIn(scene), policy.isRamp ? (rateOf(state) ?? 0) : undefined);
  const hold = (reason: string): Answer => ({ verdict: "hold", reason, safeShareBp: safeShare });
  if (evidence >= HOLD_ODDS) return hold(suspected(scene));
  if (upper === null)
    return unknown(`too little to prove anything: ${countText(canarySample)} ${canarySample === 1 ? "outcome" : "outcomes"} of the canary`);
  if (state.metrics[errors.question.key]?.isStableIll === true) {
    return hold(`stable itself fails more than usual, ${ratioText(stable)} over the whole rollout`);
  }
  if (state.runSample < policy.minSample) {
    return hold(
      `${countText(state.runSample)} of ${countText(policy.minSample)} outcomes of the canary ${policy.isRamp ? "at this share" : "in this stage"}`,
    );
  }
  const split = splitText(scene);
  if (split !== undefined) return hold(split);
  const reason = `${comparison(errors)}: worse by at most ${pointsText(upper)}, safe up to ${ratioText(safeShare / FULL_BP)}`;
  return { verdict: "advance", reason, safeShareBp: safeShare };
}

/** What may still go wrong; slow requests are not asked about where no time is told. */
function unprovenIn(scene: Scene): Unproven {
  const { errors, policy } = scene;
  const slow = (policy.isRamp ? slowFindings(scene) : []).map(({ check }) => check.upper ?? 1);
  return { errors: errors.check.upper ?? 1, slow: Math.max(0, ...slow) };
}

const slowFindings = ({ findings, state: { stable } }: Scene): readonly Finding[] =>
  countOf(stable.latency) === 0 ? [] : findings.filter(({ question }) => question.slowAt !== undefined);

/** For everybody: the bound on errors is below the wanted one or stable's own ratio, and that of each quantile below its own. */
function isProven(scene: Scene): boolean {
  const { errors, state, evidence } = scene;
  const { nowMs, canarySinceMs } = state;
  const relaxed = RELAXED.findLast(({ afterMs }) => nowMs - Number(canarySinceMs) >= afterMs);
  const times = evidence < RELAXED_ODDS && errors.check.dispersion >= CLUMPED ? (relaxed?.times ?? 1) : 1;
  const isBelow = ({ check, question }: Finding, most: number): boolean =>
    check.upper !== null && check.upper <= Math.max(times * question.proof, most);
  return isBelow(errors, Number(errors.check.stable)) && slowFindings(scene).every((finding) => isBelow(finding, 0));
}

/** What is proven so far, for people. */
function provenText({ findings }: Scene): string {
  const proven = findings.flatMap(({ check, label }) => (check.upper === null ? [] : [`${pointsText(check.upper)} in ${label}`]));
  return proven.length === 0 ? "nothing yet" : `not worse by more than ${proven.join(", ")}`;
}

/** A canary that gets less than its share loses requests somewhere: one that gets more has busy users. */
function splitText({ policy, state }: Scene): string | undefined {
  const { fewer, canary, all, expected } = state.split;
  if (oddsOf(fewer.wealth, reserveLeft(state)) < 1 / policy.alpha) return undefined;
  return `the canary got ${ratioText(canary / all)} of the decisions, and its share is ${ratioText(expected / all)}: its requests are lost somewhere`;
}

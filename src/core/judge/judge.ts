import { restartAim, shoot, startAim } from "./aim.ts";
import { type Counts, logBet } from "./bet.ts";
import { hashAfter } from "./inputs.ts";
import { type Moment, measure, withBound } from "./measures.ts";
import { overdueAfter, startOverdue } from "./overdue.ts";
import { HARM_ODDS, RATIO_LIMITS } from "./parameters.ts";
import { type Question, questionsOf } from "./questions.ts";
import { rateAfter } from "./rate.ts";
import { recordOf } from "./record.ts";
import { isSound, nothingNew } from "./sound.ts";
import { splitAfter, startSplit } from "./split.ts";
import { stableRatio } from "./stable-ratio.ts";
import type { JudgeState, MetricState } from "./state.ts";
import type { EvidenceBatch, Judgement, JudgePolicy, Outcomes } from "./types.ts";
import { about, dispersionBefore, reserveLeft, restart, startMetric, take } from "./wager.ts";

/** What is known before any outcome. */
export function startJudge(nowMs: number): JudgeState {
  return {
    version: 3,
    sinceMs: nowMs,
    nowMs,
    canarySinceMs: null,
    canaryAtMs: null,
    run: 0,
    runSample: 0,
    inputs: "",
    rate: { requests: 0, ms: 0 },
    stable: { requests: 0, failed: 0, latency: [] },
    canary: { requests: 0, failed: 0, latency: [] },
    knowsUsers: false,
    overdue: { stable: startOverdue(nowMs), canary: startOverdue(nowMs) },
    metrics: {},
    objective: startAim(nowMs),
    split: startSplit(nowMs),
  };
}

/**
 * Takes new outcomes in and says what all the evidence since the start means. The verdict is valid whenever it is looked at:
 * a canary within tolerance is ever rolled back with probability `alpha` at most, whatever shares, traffic and stable do, as
 * long as each outcome is counted once. Counts that make no sense are no data.
 */
export function judge(policy: JudgePolicy, state: JudgeState, batch: EvidenceBatch): Judgement<JudgeState> {
  const questions = questionsOf(policy);
  const next = learn(policy, state, batch, questions);
  return { state: next, record: recordOf(policy, questions, next) };
}

/** The state alone, for a past that no verdict is asked about. */
export function learn(policy: JudgePolicy, state: JudgeState, batch: EvidenceBatch, questions = questionsOf(policy)): JudgeState {
  const told = isSound(batch, policy.boundsMs.length + 1) ? batch : nothingNew(state.run, state.nowMs);
  return takeIn(policy, questions, state, told);
}

function takeIn(policy: JudgePolicy, questions: readonly Question[], state: JudgeState, batch: EvidenceBatch): JudgeState {
  const nowMs = Math.max(state.nowMs, batch.nowMs); // Another leader's clock may be behind.
  const { boundsMs } = policy;
  const stable = overdueAfter(state.overdue.stable, batch.stable, { nowMs, boundsMs });
  const canary = overdueAfter(state.overdue.canary, batch.canary, { nowMs, boundsMs });
  const isCanaryHeard = batch.canary.requests > 0 || canary.state.unended > 0;
  const canarySinceMs = state.canarySinceMs ?? (isCanaryHeard ? nowMs : null);
  const moment: Moment = {
    policy,
    batch,
    unended: { stable: stable.change, canary: canary.change },
    nowMs,
    canarySinceMs,
    due: reserveLeft(state) - reserveLeft({ nowMs, canarySinceMs }),
  };
  const metrics: Record<string, MetricState> = {};
  for (const question of questions) metrics[question.key] = metricAfter(question, state, moment);
  return {
    version: state.version,
    sinceMs: state.sinceMs,
    nowMs,
    canarySinceMs,
    canaryAtMs: batch.canary.requests > 0 ? nowMs : state.canaryAtMs,
    run: batch.run,
    runSample: batch.runCanary + (batch.run === state.run ? state.runSample : 0),
    inputs: hashAfter(state.inputs, policy, batch),
    rate: rateAfter(state.rate, batch, nowMs - state.nowMs),
    stable: plus(state.stable, batch.stable),
    canary: plus(state.canary, batch.canary),
    knowsUsers: state.knowsUsers || batch.canary.users !== undefined,
    overdue: { stable: stable.state, canary: canary.state },
    metrics,
    objective: objectiveAfter(state, metrics["errors"], moment),
    split: splitAfter(state.split, moment),
  };
}

const plus = (a: JudgeState["stable"], { requests, failed, latency }: Outcomes): JudgeState["stable"] => ({
  requests: a.requests + requests,
  failed: a.failed + failed,
  latency: latency.length >= a.latency.length ? summed(latency, a.latency) : summed(a.latency, latency),
});

function summed(long: readonly number[], short: readonly number[]): number[] {
  const sums = [...long];
  for (let bucket = 0; bucket < short.length; bucket += 1) sums[bucket] = Number(sums[bucket]) + Number(short[bucket]);
  return sums;
}

function metricAfter(question: Question, state: JudgeState, moment: Moment): MetricState {
  const { policy, nowMs, canarySinceMs, due } = moment;
  const before = state.metrics[question.key] ?? startMetric(state.nowMs);
  const ready = about(withBound(before, question, state, policy.boundsMs), question);
  const measured = measure(question, ready, moment);
  if (measured === undefined) return { ...restart(ready, due), betAtMs: nowMs };
  const { counts, hosts, keys, bearsOnSafety } = measured;
  const isCanaryKnown = canarySinceMs !== null;
  return take(ready, question, counts, { hosts, keys, bearsOnSafety, due, nowMs, alpha: policy.alpha, isCanaryKnown });
}

/**
 * That the canary is above the objective and above stable, by the outcomes that errors have just been bet on: a canary is no worse where both
 * miss it, in an outage that begins with this batch too.
 */
function objectiveAfter(state: JudgeState, after: MetricState | undefined, { policy, nowMs, due }: Moment): JudgeState["objective"] {
  const { errorObjective, alpha } = policy;
  const before = state.metrics["errors"];
  const funded = restartAim(state.objective, due);
  if (errorObjective === undefined || before === undefined || after === undefined) return funded;
  const counts = minus(after.totals, before.totals);
  const stable = stableRatio(before);
  if (counts.canary === 0 || counts.stable === 0 || stable >= errorObjective) return funded;
  const worse = (canary: number): number => logBet(counts, { factor: 1, margin: RATIO_LIMITS.low }, { canary, stable });
  const aim = { question: String(errorObjective), edge: errorObjective, odds: HARM_ODDS, other: worse };
  return shoot(funded, aim, { hits: counts.canaryHits, all: counts.canary, nowMs, alpha, dispersion: dispersionBefore(before) });
}

const minus = (a: Counts, b: Counts): Counts => ({
  canaryHits: a.canaryHits - b.canaryHits,
  canary: a.canary - b.canary,
  stableHits: a.stableHits - b.stableHits,
  stable: a.stable - b.stable,
});

import { type Counts, logBet } from "./bet.ts";
import { disperse, dispersionOf, type HalfCounts, startDispersion } from "./dispersion.ts";
import {
  BATCH_CAP_MS,
  BATCH_MOST_CAPS,
  BETA,
  batchLogCap,
  HARM_ODDS,
  HORIZON_MS,
  MOST_HARM_WEALTH,
  MOST_LOG_WIN,
  MOST_SAFE_WEALTH,
  RESERVE_UNIT_MS,
  SAFE_PARTS,
  STABLE_WAITS_MS,
  START_WEALTH,
} from "./parameters.ts";
import { askedIn, isAbout, type Question } from "./questions.ts";
import { isOutage, longAfter, shortAfter, stableRatio, withinLimits } from "./stable-ratio.ts";
import type { JudgeState, MetricState } from "./state.ts";

export const NO_COUNTS: Counts = { canaryHits: 0, canary: 0, stableHits: 0, stable: 0 };
const NO_MEMORY = { hits: 0, all: 0 };

/** A metric before any outcome. */
export const startMetric = (nowMs: number): MetricState => ({
  bound: null,
  batch: NO_COUNTS,
  betAtMs: nowMs,
  isStableIll: false,
  short: NO_MEMORY,
  long: NO_MEMORY,
  totals: NO_COUNTS,
  hosts: startDispersion(),
  keys: startDispersion(),
  question: [],
  harm: [],
  safe: [],
});

/** Bets begin when their question is known, and anew when it changes: they were about another one. */
export function about(metric: MetricState, question: Question): MetricState {
  if (isAbout(metric.question, question)) return metric;
  return {
    ...metric,
    question: askedIn(question),
    harm: HARM_ODDS.map(() => START_WEALTH),
    safe: question.margins.flatMap(() => SAFE_PARTS.map(() => START_WEALTH / SAFE_PARTS.length)),
  };
}

/** Time from the start, in doublings of its first half minute or so. */
const logTime = (ms: number): number => Math.log1p(ms / RESERVE_UNIT_MS);
const LOG_HORIZON = logTime(HORIZON_MS);

/** Wealth that has not been bet yet: all of the reserve until the canary's first outcome. */
export function reserveLeft({ nowMs, canarySinceMs }: Pick<JudgeState, "nowMs" | "canarySinceMs">): number {
  const afterMs = nowMs - (canarySinceMs ?? nowMs);
  return (1 - START_WEALTH) * Math.max(0, 1 - logTime(afterMs) / LOG_HORIZON);
}

/** How a batch is taken in. */
export interface Taking {
  readonly nowMs: number;
  readonly alpha: number;
  /** The canary has had outcomes, in this batch or before. */
  readonly isCanaryKnown: boolean;
  /** The counts are those that the margins are about, so that safety may be bet on. */
  readonly bearsOnSafety: boolean;
  /** Part of the reserve that is to be bet. */
  readonly due: number;
  readonly hosts: HalfCounts | undefined;
  readonly keys: HalfCounts | undefined;
}

/** How many outcomes count as one in the next bet: as was known before the first that it is about. */
export const dispersionBefore = (metric: MetricState): number => metric.asOne ?? dispersionIn(metric);

/** How many outcomes count as one. */
export const dispersionIn = ({ hosts, keys }: MetricState): number => dispersionOf(hosts, keys);

/**
 * Adds outcomes, and bets on them as soon as both sides have some. Guesses and dispersion come from before the batch; then it is
 * learned. Stable alone is only learned: before the canary's first outcome, and when that keeps us waiting.
 */
export function take(metric: MetricState, question: Question, counts: Counts, taking: Taking): MetricState {
  const { nowMs, isCanaryKnown, due } = taking;
  const batch = sum(metric.batch, counts);
  const hosts = taking.hosts === undefined ? metric.hosts : disperse(metric.hosts, taking.hosts, nowMs);
  const keys = taking.keys === undefined ? metric.keys : disperse(metric.keys, taking.keys, nowMs);
  const sinceMs = nowMs - metric.betAtMs;
  const isWaiting = isCanaryKnown && sinceMs < STABLE_WAITS_MS;
  if (batch.stable === 0 || (batch.canary === 0 && isWaiting)) {
    const waiting = batch.stable + batch.canary > 0 ? { asOne: dispersionBefore(metric) } : {};
    return { ...restart(metric, due), hosts, keys, batch, ...waiting };
  }
  const { harm, safe } = batch.canary === 0 ? restart(metric, due) : bet(metric, question, batch, taking);
  return {
    bound: metric.bound,
    batch: NO_COUNTS,
    betAtMs: nowMs,
    isStableIll: isOutage(metric, batch),
    short: shortAfter(metric, batch, sinceMs),
    long: longAfter(metric, batch, sinceMs),
    totals: sum(metric.totals, batch),
    hosts,
    keys,
    question: metric.question,
    harm,
    safe,
  };
}

/** Puts `more` of the reserve on every bet. */
export const restart = (metric: MetricState, more: number): MetricState =>
  more === 0
    ? metric
    : { ...metric, harm: metric.harm.map((wealth) => wealth + more), safe: metric.safe.map((wealth) => wealth + more / SAFE_PARTS.length) };

const sum = (a: Counts, b: Counts): Counts => ({
  canaryHits: a.canaryHits + b.canaryHits,
  canary: a.canary + b.canary,
  stableHits: a.stableHits + b.stableHits,
  stable: a.stable + b.stable,
});

/** Wealths after a batch; each first gets its part of the reserve. */
function bet(metric: MetricState, question: Question, batch: Counts, taking: Taking): Pick<MetricState, "harm" | "safe"> {
  const { harm: edge, highestLevel, margins } = question;
  const { nowMs, alpha, bearsOnSafety, due } = taking;
  const stable = stableRatio(metric);
  const dispersion = dispersionBefore(metric);
  const cap = capOf(alpha, nowMs - metric.betAtMs);
  const level = edge.factor * stable + edge.margin;
  const isPossible = level <= highestLevel;
  const harm = metric.harm.map((before, index) => {
    if (!isPossible) return before + due;
    const canary = atOdds(level, Number(HARM_ODDS[index]));
    return Math.min(MOST_HARM_WEALTH, grown(before + due, logBet(batch, edge, { canary, stable }) / dispersion, cap));
  });
  const part = due / SAFE_PARTS.length;
  const safe = metric.safe.map((before, index) => {
    const wealth = before + part;
    if (!bearsOnSafety) return wealth;
    const margin = Number(margins[Math.floor(index / SAFE_PARTS.length)]);
    const canary = withinLimits(stable + Number(SAFE_PARTS[index % SAFE_PARTS.length]) * margin);
    return Math.min(MOST_SAFE_WEALTH, grown(wealth, logBet(batch, { factor: 1, margin }, { canary, stable }) / dispersion, cap));
  });
  return { harm, safe };
}

/** A ratio at so many times the odds of another. */
export const atOdds = (ratio: number, times: number): number => (times * ratio) / (1 - ratio + times * ratio);

/** Wealth after a win, as a logarithm, and at most `cap` times as much. What has vanished stays 0: it must not meet an infinite win, which would make it no number. */
export const grown = (wealth: number, logWin: number, cap: number): number =>
  Math.min(wealth * Math.exp(Math.min(MOST_LOG_WIN, logWin)), Math.max(wealth, START_WEALTH) * cap);

/** The most that a batch which covers so much time may multiply a bet by. */
export const capOf = (alpha: number, ms: number): number =>
  Math.exp(batchLogCap(alpha) * Math.min(BATCH_MOST_CAPS, Math.max(1, ms / BATCH_CAP_MS)));

/** Evidence against `no worse than tolerated` as odds: the mean wealth of the bets, and what has not been bet yet. */
export const oddsOf = (wealths: readonly number[], reserve: number): number =>
  wealths.length === 0 ? 1 : reserve + wealths.reduce((all, wealth) => all + wealth, 0) / wealths.length;

/** The smallest margin such that it and every wider one is disproven; null when none is. */
export function provenMargin({ safe }: MetricState, { margins }: Question): number | null {
  let proven: number | null = null;
  for (let index = margins.length - 1; index >= 0; index -= 1) {
    let wealth = 0;
    for (let part = 0; part < SAFE_PARTS.length; part += 1) wealth += Number(safe[index * SAFE_PARTS.length + part]);
    if (!(wealth >= 1 / BETA)) return proven;
    proven = Number(margins[index]);
  }
  return proven;
}

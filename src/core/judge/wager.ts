import { type Counts, logBet } from "./bet.ts";
import {
  BATCH_CAP_MS,
  BATCH_LOG_CAP,
  BATCH_MOST_CAPS,
  BETA,
  DISPERSION,
  HARM_FACTOR,
  HARM_ODDS,
  HIGHEST_LEVEL,
  HORIZON_MS,
  MARGINS,
  MOST_HARM_WEALTH,
  MOST_LOG_WIN,
  MOST_SAFE_WEALTH,
  RESERVE_UNIT_MS,
  SAFE_PARTS,
  STABLE_WAITS_MS,
  START_WEALTH,
  WIDEST_MARGIN,
} from "./parameters.ts";
import { isOutage, remember, stableRatio, withinLimits } from "./stable-ratio.ts";
import type { MetricState } from "./state.ts";

const NO_COUNTS: Counts = { canaryHits: 0, canary: 0, stableHits: 0, stable: 0 };
const NO_MEMORY = { hits: 0, all: 0 };

/** A metric before any outcome. */
export const startMetric = (nowMs: number): MetricState => ({
  bound: null,
  batch: NO_COUNTS,
  betAtMs: nowMs,
  isStableIll: false,
  short: NO_MEMORY,
  long: NO_MEMORY,
  tolerated: 0,
  harm: [],
  safe: [],
});

/** Bets begin when the tolerated difference is known, and anew when it changes: they were about another question. */
export function aboutTolerance(metric: MetricState, tolerated: number): MetricState {
  if (metric.tolerated === tolerated) return metric;
  const margins = MARGINS.filter((times) => times === 1 || times * tolerated < WIDEST_MARGIN);
  return {
    ...metric,
    tolerated,
    harm: HARM_ODDS.map((odds) => ({ odds, wealth: START_WEALTH })),
    safe: margins.map((times) => ({ times, bets: SAFE_PARTS.map((part) => ({ part, wealth: START_WEALTH / SAFE_PARTS.length })) })),
  };
}

/** Wealth that has not been bet yet, so long after the start. */
export function reserveAt(afterMs: number): number {
  const logTime = (ms: number): number => Math.log1p(ms / RESERVE_UNIT_MS);
  return (1 - START_WEALTH) * Math.max(0, 1 - logTime(afterMs) / logTime(HORIZON_MS));
}

/** Puts `more` of the reserve on every bet. */
export function restart(metric: MetricState, more: number): MetricState {
  return {
    ...metric,
    harm: metric.harm.map(({ odds, wealth }) => ({ odds, wealth: wealth + more })),
    safe: metric.safe.map(({ times, bets }) => ({
      times,
      bets: bets.map(({ part, wealth }) => ({ part, wealth: wealth + more / bets.length })),
    })),
  };
}

/** How a batch is taken in. */
export interface Taking {
  readonly nowMs: number;
  /** The canary has had outcomes, in this batch or before. */
  readonly isCanaryKnown: boolean;
  /** The counts are those that the margins are about, so that safety may be bet on. */
  readonly bearsOnSafety: boolean;
}

/**
 * Adds outcomes, and bets on them as soon as both sides have some. Guesses come from before the batch; then it is learned.
 * Stable alone is only learned: before the canary's first outcome, and when that keeps us waiting.
 */
export function take(metric: MetricState, counts: Counts, taking: Taking): MetricState {
  const batch = sum(metric.batch, counts);
  const isWaiting = taking.isCanaryKnown && taking.nowMs - metric.betAtMs < STABLE_WAITS_MS;
  if (batch.stable === 0 || (batch.canary === 0 && isWaiting)) return { ...metric, batch };
  const isStableIll = isOutage(metric, batch);
  const after = batch.canary === 0 ? metric : bet(metric, batch, taking);
  return { ...remember(after, batch, taking.nowMs - metric.betAtMs), isStableIll, batch: NO_COUNTS, betAtMs: taking.nowMs };
}

const sum = (a: Counts, b: Counts): Counts => ({
  canaryHits: a.canaryHits + b.canaryHits,
  canary: a.canary + b.canary,
  stableHits: a.stableHits + b.stableHits,
  stable: a.stable + b.stable,
});

function bet(metric: MetricState, batch: Counts, { nowMs, bearsOnSafety }: Taking): MetricState {
  const { tolerated } = metric;
  const stable = stableRatio(metric);
  const cap = BATCH_LOG_CAP * Math.min(BATCH_MOST_CAPS, Math.max(1, (nowMs - metric.betAtMs) / BATCH_CAP_MS));
  // Wealth that has vanished stays 0: it must not meet an infinite win, which would make it no number.
  const grown = (wealth: number, logWin: number): number =>
    Math.min(wealth * Math.exp(Math.min(MOST_LOG_WIN, logWin / DISPERSION)), Math.max(wealth, START_WEALTH) * Math.exp(cap));
  const harmed = (odds: number, wealth: number): number => {
    const level = HARM_FACTOR * stable + tolerated;
    if (level > HIGHEST_LEVEL) return wealth;
    const canary = (odds * level) / (1 - level + odds * level);
    return Math.min(MOST_HARM_WEALTH, grown(wealth, logBet(batch, { factor: HARM_FACTOR, margin: tolerated }, { canary, stable })));
  };
  const unharmed = (margin: number, part: number, wealth: number): number => {
    const canary = withinLimits(stable + part * margin);
    return Math.min(MOST_SAFE_WEALTH, grown(wealth, logBet(batch, { factor: 1, margin }, { canary, stable })));
  };
  return {
    ...metric,
    harm: metric.harm.map(({ odds, wealth }) => ({ odds, wealth: harmed(odds, wealth) })),
    safe: bearsOnSafety
      ? metric.safe.map(({ times, bets }) => ({
          times,
          bets: bets.map(({ part, wealth }) => ({ part, wealth: unharmed(times * tolerated, part, wealth) })),
        }))
      : metric.safe,
  };
}

/** Evidence against `no worse than tolerated` as odds: the mean wealth of the bets, and what has not been bet yet. */
export const oddsOf = ({ harm }: MetricState, reserve: number): number =>
  reserve + harm.reduce((all, { wealth }) => all + wealth, 0) / HARM_ODDS.length;

/** The smallest margin, in multiples of the tolerated difference, such that it and every wider one is disproven; null when none is. */
export function provenTimes({ safe }: MetricState): number | null {
  let proven: number | null = null;
  for (const { times, bets } of safe.toReversed()) {
    if (bets.reduce((all, { wealth }) => all + wealth, 0) < 1 / BETA) return proven;
    proven = times;
  }
  return proven;
}

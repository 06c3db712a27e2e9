import { RAMP_CAP_BP, type Ramp } from "../../contract/ramp.ts";
import type { Verdict } from "../../contract/verdict.ts";

const FULL_BP = 10_000;
/** From a dead canary's first failure until nobody gets it, as the first share is dimensioned. */
const REACTION_S = 15;
const FIRST_BP = { least: 1, most: 1_000 } as const;
/** Share that the clock leads to whatever the evidence, and the time that it takes; also where doubt goes back to. */
const CLOCK_BP = 1_000;
const CLOCK_MS = 180_000;
/** From there it leads on to the ramp's end in so much time, while something is proven and nothing at all speaks for harm: what is rare or clumped shows sooner on more requests. */
const SECOND_CLOCK_MS = 120_000;
const CALM_ODDS = 1;
/** Fastest growth: so much at once, so often, and never for less than a fifth more. */
const MOST_TIMES = 2.5;
export const LEAST_TIMES = 1.2;
export const EVERY_MS = 10_000;
/** Odds of harm at which nothing grows, and at which the share goes back so far; by chance the second comes in one good rollout of five at most. */
export const DOUBT_ODDS = 3;
export const RETREAT = { odds: 5, shareBp: CLOCK_BP } as const;

/** What the next share follows from. Times are in milliseconds. */
export interface RampMoment {
  readonly shareBp: number;
  /** Since the ramp began. */
  readonly rampMs: number;
  /** Since this share was set. */
  readonly shareMs: number;
  readonly verdict: Verdict;
  /** Outcomes of the canary under this share. */
  readonly runSample: number;
  /** Largest share that the evidence calls safe, in basis points. */
  readonly safeShareBp: number;
  /** Evidence for harm, as odds. */
  readonly odds: number;
  /** Of all the rollout's traffic; undefined while it is not known. */
  readonly requestsPerSecond?: number | undefined;
}

/**
 * Share of the first step, in basis points: at it a canary that fails always costs the budget until it is seen. The least one where
 * the traffic is not known: what is too small costs seconds, as the next look knows the traffic, and what is too large costs users.
 */
export function firstShareBp({ startBp, budget }: Ramp, requestsPerSecond: number | undefined): number {
  if (startBp !== undefined) return startBp;
  if (requestsPerSecond === undefined) return FIRST_BP.least;
  const bp = Math.floor((FULL_BP * budget) / (requestsPerSecond * REACTION_S));
  return Math.min(FIRST_BP.most, Math.max(FIRST_BP.least, bp));
}

/**
 * The share that a ramp goes to, in basis points; the present one when it stays. It grows by the clock to 10 % within three minutes,
 * whatever the evidence (unless that speaks for harm), on to 50 % within two more while nothing at all speaks for harm, and as far as
 * the evidence calls it safe; but beyond the first share never without an outcome of the canary under the present one. In doubt it stays, in
 * more doubt it goes back to 10 %: reversible, long before the verdict.
 */
export function nextShareBp(ramp: Ramp, moment: RampMoment): number {
  const { shareBp, rampMs, shareMs, verdict, runSample, safeShareBp, odds, requestsPerSecond } = moment;
  if (odds >= RETREAT.odds) return Math.min(shareBp, RETREAT.shareBp);
  const isHeld = odds >= DOUBT_ODDS || verdict === "hold" || verdict === "rollback";
  if (isHeld || shareMs < EVERY_MS) return shareBp;
  const first = firstShareBp(ramp, requestsPerSecond);
  // What the budget allows needs no evidence: it may only now be known how much that is.
  if (runSample === 0) return Math.max(shareBp, first);
  const clock =
    rampMs <= CLOCK_MS || verdict !== "advance" || odds >= CALM_ODDS
      ? between(first, CLOCK_BP, rampMs / CLOCK_MS)
      : between(CLOCK_BP, RAMP_CAP_BP, (rampMs - CLOCK_MS) / SECOND_CLOCK_MS);
  const safe = verdict === "advance" ? safeShareBp : 0;
  const wanted = Math.min(RAMP_CAP_BP, Math.round(Math.max(clock, safe)));
  // The first share costs no more than the budget, however large a step it is.
  const next = Math.min(wanted, Math.max(first, Math.floor(MOST_TIMES * shareBp)));
  return next >= Math.min(RAMP_CAP_BP, LEAST_TIMES * shareBp) ? Math.max(shareBp, next) : shareBp;
}

/** Grown by equal factors in equal times; `part` is that of the whole time. */
const between = (from: number, to: number, part: number): number => from * (to / from) ** Math.min(1, part);

/** Whether the ramp is over: everything it can show is shown, and it has lasted long enough for most faults to show. */
export const isProven = ({ minTimeMs }: Ramp, { shareBp, rampMs, verdict, safeShareBp, odds }: RampMoment): boolean =>
  verdict === "advance" && safeShareBp >= FULL_BP && shareBp >= RAMP_CAP_BP && rampMs >= minTimeMs && odds < DOUBT_ODDS;

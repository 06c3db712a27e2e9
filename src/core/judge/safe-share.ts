import { HARM_BUDGET, HARMED_PART, REACTION_MS, SLOW_HARM } from "./parameters.ts";

/** The most that may still go wrong on the canary, as differences of ratios; 1 where nothing is proven. */
export interface Unproven {
  readonly errors: number;
  readonly slow: number;
}

const FULL_BP = 10_000;
const HALF = 0.5;
/** Until then a share of so much is never too large for a canary that may be so bad. */
const TENTH = 0.1;
const LEAST_RATE = 1e-6;
const LONG_MS = 600_000;
const SMALL_HARM = 0.01;

/**
 * The largest share that the evidence calls safe, in basis points, below one half: as much as costs a bad canary no more than the
 * budget until it is seen, or no more than a small part of all requests. The rate is in requests per second of both sides; where there
 * is none, the part of all requests is what counts.
 */
export function safeShareBp({ errors, slow }: Unproven, rate: number | undefined): number {
  const harm = Math.max(errors, SLOW_HARM * slow);
  if (rate === undefined) return Math.floor(FULL_BP * Math.min(HALF, HARMED_PART / harm));
  const within = (ms: number): number => HARM_BUDGET / (harm * Math.max(rate, LEAST_RATE) * (ms / 1_000));
  const soon = Math.max(within(REACTION_MS), harm <= TENTH ? HARMED_PART / harm : 0);
  const later = Math.max(TENTH, SMALL_HARM / harm, within(LONG_MS));
  return Math.floor(FULL_BP * Math.min(HALF, soon, later));
}

import { MOST_HARM_WEALTH, START_WEALTH } from "./parameters.ts";
import type { AimState } from "./state.ts";
import { atOdds, capOf, grown } from "./wager.ts";

/** A ratio that one side is held against: above it, or below it, is the claim that is bet on. */
export interface Aim {
  /** Names what is asked: bets about something else begin anew. */
  readonly question: string;
  readonly edge: number;
  /** Guesses at the ratio as odds over those of the edge: all above 1, or all below. */
  readonly odds: readonly number[];
  /** Another bet by the same guess, as the logarithm of what 1 becomes: the lesser of both counts, so that the mean is 1 at most where either claim is false. */
  other?(guess: number): number;
}

/** Counts of one side in one batch. */
export interface Shot {
  readonly hits: number;
  readonly all: number;
  readonly nowMs: number;
  readonly alpha: number;
  readonly dispersion: number;
}

/** Bets before anything is known. */
export const startAim = (nowMs: number): AimState => ({ question: "", betAtMs: nowMs, wealth: [] });

/** The same with more of the reserve on every bet. */
export const restartAim = ({ question, betAtMs, wealth }: AimState, more: number): AimState => ({
  question,
  betAtMs,
  wealth: wealth.map((each) => each + more),
});

/** Bets on one batch of one side. Exact on the edge, and below 1 on the other side of it, whatever the counts. */
export function shoot(before: AimState, { question, edge, odds, other }: Aim, { hits, all, nowMs, alpha, dispersion }: Shot): AimState {
  const wealth = before.question === question ? before.wealth : odds.map(() => START_WEALTH);
  const cap = capOf(alpha, nowMs - before.betAtMs);
  return {
    question,
    betAtMs: nowMs,
    wealth: wealth.map((each, index) => {
      const guess = atOdds(edge, Number(odds[index]));
      const alone = hits * Math.log(guess / edge) + (all - hits) * Math.log((1 - guess) / (1 - edge));
      const logWin = Math.min(alone, other?.(guess) ?? alone) / dispersion;
      return Math.min(MOST_HARM_WEALTH, grown(each, logWin, cap));
    }),
  };
}

import { LATENCY_BOUNDS_MS } from "../../contract/names.ts";
import type { CheckRecord, Verdict } from "../../contract/verdict.ts";
import { oddsText, pointsText, ratioText } from "./figures.ts";
import { slowOf } from "./overdue.ts";
import { ALPHA, DISPERSION, HOLD_ODDS, type Metric } from "./parameters.ts";
import { countOf } from "./slow.ts";
import type { JudgeState, MetricState } from "./state.ts";
import { oddsOf, provenTimes, reserveAt } from "./wager.ts";

/** A check, with what the verdict needs besides its record. */
export interface Finding {
  readonly check: CheckRecord;
  /** Part of this check in the evidence of harm: the rollout's is the sum. */
  readonly weighted: number;
  /** The bound on the difference, in multiples of the tolerated one; null when nothing is proven. */
  readonly provenTimes: number | null;
  /** How people read the check: `errors`, `slow p90 (above 50 ms)`. */
  readonly label: string;
}

/** What the evidence so far says about one metric. */
export function findingOf(metric: Metric, state: JudgeState): Finding {
  const own = state.metrics[metric.key];
  const odds = oddsOf(own, reserveAt(state.nowMs - state.sinceMs));
  const times = provenTimes(own);
  const upper = times === null ? null : times * own.tolerated;
  const weighted = metric.weight * odds;
  const verdict = verdictOf({ weighted, odds, upper });
  const { weight } = metric;
  const check = {
    name: metric.name,
    verdict,
    weight,
    ...sidesOf(metric, own, state),
    upper,
    threshold: own.tolerated,
    odds,
    dispersion: DISPERSION,
  };
  const boundMs = own.bound === null ? undefined : LATENCY_BOUNDS_MS[own.bound];
  return { check, weighted, provenTimes: times, label: boundMs === undefined ? metric.name : `${metric.name} (above ${boundMs} ms)` };
}

function verdictOf({ weighted, odds, upper }: { weighted: number; odds: number; upper: number | null }): Verdict {
  if (weighted >= 1 / ALPHA) return "rollback";
  if (odds >= HOLD_ODDS) return "hold";
  return upper === null ? "unknown" : "advance";
}

type Sides = Pick<CheckRecord, "stable" | "canary" | "difference" | "stableSample" | "canarySample">;

/** Ratios and samples of both sides over the whole rollout; a slow ratio needs a bound. */
function sidesOf({ slowAt }: Metric, { bound }: MetricState, state: JudgeState): Sides {
  const side = (variant: "stable" | "canary"): { hits: number | null; all: number } => {
    const { requests, failed, latency } = state[variant];
    if (slowAt === undefined) return { hits: failed, all: requests };
    if (bound === null) return { hits: null, all: countOf(latency) };
    return slowOf(latency, state.overdue[variant].unended, bound);
  };
  const ratio = ({ hits, all }: { hits: number | null; all: number }): number | null => (hits === null || all === 0 ? null : hits / all);
  const [stableSide, canarySide] = [side("stable"), side("canary")];
  const [stable, canary] = [ratio(stableSide), ratio(canarySide)];
  const difference = stable === null || canary === null ? null : canary - stable;
  return { stable, canary, difference, stableSample: stableSide.all, canarySample: canarySide.all };
}

/** What speaks for harm, with its figures. A canary that was good for long is worse than tolerated lately, and not over all. */
export function suspicion(finding: Finding): string {
  const { odds, difference, threshold } = finding.check;
  const when = difference !== null && difference <= threshold ? ", though not all the time" : "";
  return `${comparison(finding)} over the whole rollout: ${oddsText(odds)} that it is worse by more than ${pointsText(threshold)}${when}`;
}

/** Both sides of a check, for people. */
export const comparison = ({ check, label }: Finding): string =>
  `${label} ${ratioText(check.canary)} on canary against ${ratioText(check.stable)} on stable`;

import type { CheckRecord, Verdict } from "../../contract/verdict.ts";
import { oddsText, pointsText, ratioText } from "./figures.ts";
import { slowOf, unendedAbove } from "./overdue.ts";
import { HOLD_ODDS } from "./parameters.ts";
import type { Question } from "./questions.ts";
import { countOf } from "./slow.ts";
import type { JudgeState, MetricState } from "./state.ts";
import type { JudgePolicy } from "./types.ts";
import { dispersionIn, oddsOf, provenMargin, startMetric } from "./wager.ts";

/** A check, with what the verdict needs besides its record. */
export interface Finding {
  readonly check: CheckRecord;
  readonly question: Question;
  /** Part of this check in the evidence of harm: the rollout's is the sum. */
  readonly weighted: number;
  /** How people read the check: `errors`, `slow p90 (above 50 ms)`. */
  readonly label: string;
}

interface Moment {
  readonly policy: JudgePolicy;
  readonly state: JudgeState;
  /** Wealth that is not bet yet. */
  readonly reserve: number;
}

/** What the evidence so far says about one metric. */
export function findingOf(question: Question, { policy, state, reserve }: Moment): Finding {
  const own = state.metrics[question.key] ?? startMetric(state.nowMs);
  const odds = oddsOf(own.harm, reserve);
  const weighted = question.weight * odds;
  const upper = provenMargin(own, question);
  const { stable, canary } = sidesOf(question, own, { policy, state });
  const [stableRatio, canaryRatio] = [ratioOf(stable), ratioOf(canary)];
  const check = {
    name: question.name,
    verdict: verdictOf({ weighted, upper, alpha: policy.alpha, isSafetyAsked: question.margins.length > 0 }),
    weight: question.weight,
    stable: stableRatio,
    canary: canaryRatio,
    difference: stableRatio === null || canaryRatio === null ? null : canaryRatio - stableRatio,
    stableSample: stable.all,
    canarySample: canary.all,
    lower: weighted >= 1 / policy.alpha ? question.harm.margin : null,
    upper,
    threshold: question.harm.margin,
    odds,
    dispersion: dispersionIn(own),
  };
  const boundMs = own.bound === null ? undefined : policy.boundsMs[own.bound];
  return { check, question, weighted, label: boundMs === undefined ? question.name : `${question.name} (above ${boundMs} ms)` };
}

interface Standing {
  readonly weighted: number;
  readonly upper: number | null;
  readonly alpha: number;
  readonly isSafetyAsked: boolean;
}

function verdictOf({ weighted, upper, alpha, isSafetyAsked }: Standing): Verdict {
  if (weighted >= 1 / alpha) return "rollback";
  if (weighted >= HOLD_ODDS) return "hold";
  return isSafetyAsked && upper === null ? "unknown" : "advance";
}

type Hits = Readonly<{ hits: number | null; all: number }>;
type Sides = Readonly<Record<"stable" | "canary", Hits>>;

const ratioOf = ({ hits, all }: Hits): number | null => (hits === null || all === 0 ? null : hits / all);

/** Hits of both sides over the whole rollout; slow ones need a bound. */
function sidesOf({ slowAt, own }: Question, metric: MetricState, { policy, state }: { policy: JudgePolicy; state: JudgeState }): Sides {
  const { totals, batch, bound } = metric;
  const { stable, canary, overdue } = state;
  if (bound !== null) {
    const slow = ({ latency }: JudgeState["stable"], unended: number): Hits =>
      slowOf(latency, unendedAbove(bound, unended, policy.boundsMs), bound);
    return { stable: slow(stable, overdue.stable.unended), canary: slow(canary, overdue.canary.unended) };
  }
  if (slowAt !== undefined)
    return { stable: { hits: null, all: countOf(stable.latency) }, canary: { hits: null, all: countOf(canary.latency) } };
  // Of a drop the misses are counted, and people think in hits.
  const counted = (hits: number, all: number): Hits => ({ hits: own?.harm === "lower" ? all - hits : hits, all });
  return {
    stable: counted(totals.stableHits + batch.stableHits, totals.stable + batch.stable),
    canary: counted(totals.canaryHits + batch.canaryHits, totals.canary + batch.canary),
  };
}

/** What speaks for harm, with its figures. A canary that was good for long is worse than tolerated lately, and not over all. */
export function suspicion(finding: Finding): string {
  const { odds, difference, threshold } = finding.check;
  const worse = Number(difference) * (finding.question.own?.harm === "lower" ? -1 : 1);
  const when = worse <= threshold ? ", though not all the time" : "";
  return `${comparison(finding)} over the whole rollout: ${oddsText(odds)} that it is worse by more than ${pointsText(threshold)}${when}`;
}

/** Both sides of a check, for people. */
export const comparison = ({ check, label }: Finding): string =>
  `${label} ${ratioText(check.canary)} on canary against ${ratioText(check.stable)} on stable`;

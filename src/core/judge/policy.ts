import { type Course, courseOf } from "../../contract/course.ts";
import { type LiveState, servedPhase } from "../../contract/live.ts";
import { LATENCY_BOUNDS_MS } from "../../contract/names.ts";
import type { Rollout } from "../../contract/rollout.ts";
import { isShadowed } from "../../contract/shadow.ts";
import { ownChecksOf } from "./own-policy.ts";
import type { JudgePolicy, OwnCheck } from "./types.ts";

/** Of a shadow the answers with 4xx are one more check: its originals got others. */
export const REFUSED_CHECK: OwnCheck = { name: "4xx answers", harm: "higher", tolerated: 0.1, weight: "critical" };

const ALPHAS = { careful: 0.001, standard: 0.01, fast: 0.01 } as const;

/** What this rollout tolerates, with the minimum sample of the shadow or stage it is in; the last one's at and after promotion, one outcome in a ramp. */
export function policyOf(rollout: Rollout, plan: LiveState["plan"], boundsMs: readonly number[] = LATENCY_BOUNDS_MS): JudgePolicy {
  const { strategy, checks } = rollout;
  const { objective } = checks.errors;
  const inShadow = isShadowed(rollout, plan);
  return {
    alpha: checks.alpha ?? ALPHAS[checks.preset],
    maxErrorIncrease: checks.errors.maxIncrease,
    maxSlowIncrease: checks.latency.maxIncrease,
    errorProof: checks.errors.proof,
    ...(objective === undefined ? {} : { errorObjective: objective }),
    // How much of the traffic a shadow sees says nothing about shares.
    isRamp: "ramp" in strategy && !inShadow,
    minSample: inShadow ? courseOf(strategy).shadow.minSample : minSampleOf(courseOf(strategy), plan),
    own: inShadow ? [REFUSED_CHECK] : ownChecksOf(checks),
    boundsMs,
  };
}

function minSampleOf({ stages, preview: { promote }, rolling }: Course, standing: LiveState["plan"]): number {
  const plan = servedPhase(standing);
  if (plan.phase === "group") return rolling.minSample;
  if (plan.phase === "preview" && typeof promote === "object" && "onVerdict" in promote) return promote.onVerdict.minSample;
  const index = "stage" in plan ? plan.stage : plan.phase === "queued" || plan.phase === "pending" ? 0 : stages.length - 1;
  return stages[Math.min(index, stages.length - 1)]?.minSample ?? 1;
}

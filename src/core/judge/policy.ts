import { type Course, courseOf } from "../../contract/course.ts";
import { type LiveState, servedPhase } from "../../contract/live.ts";
import { LATENCY_BOUNDS_MS } from "../../contract/names.ts";
import type { Rollout } from "../../contract/rollout.ts";
import { ownChecksOf } from "./own-policy.ts";
import type { JudgePolicy } from "./types.ts";

const ALPHAS = { careful: 0.001, standard: 0.01, fast: 0.01 } as const;

/** What this rollout tolerates, with the minimum sample of the stage it is in; the last one's at and after promotion, one outcome in a ramp. */
export function policyOf(
  { strategy, checks }: Rollout,
  plan: LiveState["plan"],
  boundsMs: readonly number[] = LATENCY_BOUNDS_MS,
): JudgePolicy {
  const { objective } = checks.errors;
  return {
    alpha: checks.alpha ?? ALPHAS[checks.preset],
    maxErrorIncrease: checks.errors.maxIncrease,
    maxSlowIncrease: checks.latency.maxIncrease,
    errorProof: checks.errors.proof,
    ...(objective === undefined ? {} : { errorObjective: objective }),
    isRamp: "ramp" in strategy,
    minSample: minSampleOf(courseOf(strategy), plan),
    own: ownChecksOf(checks),
    boundsMs,
  };
}

function minSampleOf({ stages, preview: { promote }, rolling, shadow }: Course, standing: LiveState["plan"]): number {
  const plan = servedPhase(standing);
  if (plan.phase === "group") return rolling.minSample;
  if (plan.phase === "shadow") return shadow.minSample;
  if (plan.phase === "preview" && typeof promote === "object" && "onVerdict" in promote) return promote.onVerdict.minSample;
  const index = "stage" in plan ? plan.stage : plan.phase === "queued" || plan.phase === "pending" ? 0 : stages.length - 1;
  return stages[Math.min(index, stages.length - 1)]?.minSample ?? 1;
}

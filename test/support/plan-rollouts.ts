import type { Rollout, RolloutInput } from "../../src/contract/rollout.ts";
import { APPROVER } from "./plan-happenings.ts";
import { rampRollout, rollout, strategies, withStrategy } from "./plan-inputs.ts";

const parsed = (change: Partial<RolloutInput>): Rollout =>
  withStrategy({ type: "canary", stages: [{ share: "5%", gate: { approvers: [APPROVER], atLimit: "pause" } }, { share: "50%" }] }, change);

/** A rollout whose way back is in steps. */
export function inRetreat(each: Rollout): Rollout {
  return { ...each, retreat: { step: 4_000, every: 20_000 } };
}

const plain: readonly Rollout[] = [
  rollout,
  rampRollout,
  ...Object.values(strategies),
  parsed({ promotion: { gate: { approvers: [APPROVER] } } }),
  parsed({ blastRadius: { failedRequests: 10 }, promotion: { gate: { atLimit: "promote", limit: "2h" } } }),
  parsed({ checks: { onNoData: "rollback" } }),
  ...[rollout, rampRollout, strategies.byOrder, strategies.rollingHalf, strategies.testThenStable].map(inRetreat),
  inRetreat(parsed({ blastRadius: { failedRequests: 10 }, promotion: { gate: { atLimit: "promote", limit: "2h" } } })),
];
/** Rollouts of every strategy, with gates, limits, a retreat, and in every mode. */
export const known = plain.flatMap((each) => (["act", "advise", "observe"] as const).map((mode): Rollout => ({ ...each, mode })));

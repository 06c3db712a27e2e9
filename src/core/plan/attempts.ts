import type { PlanState } from "../../contract/live.ts";
import { becauseOf, refuse, type Scene } from "./moves.ts";
import { startPlan } from "./start.ts";
import type { AttemptEvent, PlanStep } from "./types.ts";

/** Another attempt with the same plan, when this one failed: its runs are new, so that no evidence of this one counts. */
export function retried(state: PlanState, event: AttemptEvent, scene: Scene): PlanStep {
  if (state.phase === "rollingBack") return refuse(state, scene, `the way back is not over (${state.reason}); retry when it is`);
  if (state.phase === "handedOver")
    return refuse(state, scene, "stable runs the new version and the rule rests; apply a rollout for the next change");
  if (state.phase !== "rolledBack") return refuse(state, scene, "this attempt is not over; abort it first, then retry");
  const { state: next, effects } = startPlan(scene.nowMs, state.run + 1);
  const reason = becauseOf("the same plan again", event);
  return { ok: true, state: next, effects: [{ type: "audit", action: "retry", reason }, ...effects] };
}

/** Why there is nothing to undo; undefined where stable is the version before, so that the way back undoes it. */
export function undone(state: PlanState, scene: Scene): PlanStep | undefined {
  if (state.phase === "rolledBack")
    return refuse(state, scene, `everyone has the version before already (${state.reason}); retry would try this one again`);
  if (state.phase === "handedOver")
    return refuse(state, scene, "stable runs the new version, and no plan before this one names another; deploy the version before");
  return undefined;
}

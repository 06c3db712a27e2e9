import { hasShadow } from "./course.ts";
import { type PlanState, servedPhase } from "./live.ts";
import type { Strategy } from "./strategy.ts";

/** Whether a shadow alone gets the new version. An undo has no shadow: it goes back to what everyone had. */
export function isShadowed({ strategy }: { readonly strategy: Strategy }, standing: PlanState): boolean {
  const plan = servedPhase(standing);
  if (plan.phase === "pending") return plan.atOnce !== true && hasShadow(strategy);
  return standsInShadow(plan);
}

/** Whether copies are what it has been judged by, also paused there or at its gate. */
export function standsInShadow(standing: PlanState): boolean {
  const plan = servedPhase(standing);
  return plan.phase === "shadow" || (plan.phase === "paused" && plan.from === "shadow");
}

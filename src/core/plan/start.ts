import type { PlanState } from "../../contract/live.ts";
import { serve, type Taken } from "./moves.ts";

/**
 * Begins an attempt: the rules go out with a share of 0, and `run` is the first of this attempt. `atOnce` gives it to everyone when the
 * rules are confirmed: it is the way back to a version that everyone had.
 */
export function startPlan(nowMs: number, run: number, atOnce = false): Taken {
  const state: PlanState = { phase: "pending", run, firstRun: run, sinceMs: nowMs, ...(atOnce && { atOnce }) };
  return serve(state, { shareBp: 0, off: false }, { action: "pending", reason: "waiting for every known sidecar to confirm the rules" });
}

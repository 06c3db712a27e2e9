import type { PlanState } from "../../contract/live.ts";
import { isEnded } from "./ended.ts";

/** Whether evidence is judged in this phase: before the begin there is none; where nobody is to be on the canary any more the last verdict stays. */
export const isJudged = (state: PlanState): boolean =>
  state.phase === "rollingBack" ? state.left !== undefined : state.phase !== "queued" && !isEnded(state.phase);

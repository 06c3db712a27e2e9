import type { PlanState } from "../../contract/live.ts";

/** Whether evidence is judged in this phase: before the begin there is none, on the way back and after an end the last verdict stays. */
export const isJudged = ({ phase }: PlanState): boolean =>
  phase !== "queued" && phase !== "rollingBack" && phase !== "rolledBack" && phase !== "handedOver";

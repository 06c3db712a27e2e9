import type { Phase } from "../../contract/live.ts";

/** Whether nothing is left to do in this phase. */
export const isEnded = (phase: Phase): boolean => phase === "rolledBack" || phase === "handedOver";

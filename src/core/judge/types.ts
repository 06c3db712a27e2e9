import { STABLE, type VariantName } from "../../contract/rollout.ts";
import type { VerdictRecord } from "../../contract/verdict.ts";

/** The two that are compared: all that grows beside stable is the canary. */
export type Side = "stable" | "canary";

export const sideOf = (variant: VariantName): Side => (variant === STABLE ? "stable" : "canary");

/** What one batch says of one variant. `latency[i]` counts ended requests in bucket i of the contract's latency bounds. */
export interface Outcomes {
  /** Requests decided, and requests that no one waits for any more, however they ended; both 0 where that is not known. */
  readonly decided: number;
  readonly settled: number;
  readonly requests: number;
  readonly failed: number;
  readonly latency: readonly number[];
}

/** New outcomes since the last batch; `canary` and `stable` were decided at the same time, under any run since the first. */
export interface EvidenceBatch {
  readonly nowMs: number;
  /** Run in force now, and canary outcomes in this batch that were decided under it. */
  readonly run: number;
  readonly runCanary: number;
  readonly stable: Outcomes;
  readonly canary: Outcomes;
}

/** Tolerances are differences of ratios, canary minus stable. */
export interface JudgePolicy {
  readonly maxErrorIncrease: number;
  readonly maxSlowIncrease: number;
  /** Fewest canary outcomes in the current run before `advance`. */
  readonly minSample: number;
}

export interface Judgement<State> {
  readonly state: State;
  readonly record: VerdictRecord;
}

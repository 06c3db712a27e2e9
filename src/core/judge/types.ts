import type { VerdictRecord } from "../../contract/verdict.ts";

/** Outcomes of one variant in one batch. `slow[i]` counts ended requests in bucket i of the contract's latency bounds. */
export interface Outcomes {
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

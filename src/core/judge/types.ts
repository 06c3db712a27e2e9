import { STABLE, type VariantName } from "../../contract/rollout.ts";
import type { VerdictRecord } from "../../contract/verdict.ts";
import type { Counts } from "./bet.ts";

/** The two that are compared: all that grows beside stable is the canary. */
export type Side = "stable" | "canary";

export const sideOf = (variant: VariantName): Side => (variant === STABLE ? "stable" : "canary");

/** What one batch says of one side. `latency[i]` counts ended requests in bucket i of the latency bounds; the last is open. */
export interface Outcomes {
  /** Requests decided, and requests that no one waits for any more, however they ended; both 0 where that is not known. */
  readonly decided: number;
  readonly settled: number;
  readonly requests: number;
  readonly failed: number;
  readonly latency: readonly number[];
  /** Absent where nobody knows users, as in metrics alone. */
  readonly users?: FailedUsers;
}

/** Who failed, over all sidecars. */
export interface FailedUsers {
  /** Users that failed and never did before: not before the rollout, and not on either side during it. */
  readonly newly: number;
  /** Of the failed requests, those of users known to fail before the rollout began. */
  readonly knownRequests: number;
}

/** One of two random halves of stable; the other half is the rest of it. */
export type Half = Pick<Outcomes, "requests" | "failed" | "latency" | "users">;

/** How stable fell into halves in this batch. What differs between them more than by chance comes in clumps. */
export interface Halves {
  readonly hosts?: Half;
  readonly keys?: Half;
}

/** Decisions by share of the run in force: how many of all were the canary's, while the share was this. */
export interface Split {
  readonly shareBp: number;
  readonly canary: number;
  readonly all: number;
}

/** New outcomes since the last batch; `canary` and `stable` were decided at the same time, under any run since the first. */
export interface EvidenceBatch {
  readonly nowMs: number;
  /** Run in force now, and canary outcomes in this batch that were decided under it. */
  readonly run: number;
  readonly runCanary: number;
  readonly stable: Outcomes;
  readonly canary: Outcomes;
  readonly halves?: Halves;
  readonly split?: Split;
  /** New counts of the rollout's own checks, by name. */
  readonly own?: Readonly<Record<string, Counts>>;
}

/** A check of the rollout's own that is counted: hits of all, on both sides. */
export interface OwnCheck {
  readonly name: string;
  /** `higher`: a rise of the ratio is harm; `lower`: a drop is, as of conversions. */
  readonly harm: "higher" | "lower";
  /** Tolerated relative change: 0.1 lets the canary's ratio be a tenth worse. */
  readonly tolerated: number;
  /** `critical` has a part of the wager of its own as large as that of errors, `weighted` this many hundredths, `advisory` none. */
  readonly weight: "critical" | "advisory" | number;
}

/** What a rollout tolerates. Tolerances are differences of ratios, canary minus stable. */
export interface JudgePolicy {
  /** Chance of ever rolling back a canary within tolerance. */
  readonly alpha: number;
  readonly maxErrorIncrease: number;
  readonly maxSlowIncrease: number;
  /** The rise of errors that must be disproven before 100 %. */
  readonly errorProof: number;
  /** The most that may fail at all. */
  readonly errorObjective?: number;
  /** Shares follow from the evidence alone. Else a person chose them: then slow requests must be disproven before 100 % alone. */
  readonly isRamp: boolean;
  /** Fewest canary outcomes in the current run before `advance`. */
  readonly minSample: number;
  readonly own?: readonly OwnCheck[];
  /** Upper bounds of the latency buckets, ascending, in milliseconds. */
  readonly boundsMs: readonly number[];
}

export interface Judgement<State> {
  readonly state: State;
  readonly record: VerdictRecord;
}

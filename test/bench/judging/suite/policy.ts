/**
 * What a judge sees and answers here. Names of fields are those of the benchmark's first version, so that a judge written for one
 * runs in the other.
 */

/** Counts of one side in one tick. */
export interface SideCounts {
  readonly n: number;
  readonly errors: number;
  /** `hist[b]`: requests in (bounds[b-1], bounds[b]] ms; the last bucket is open. */
  readonly hist: readonly number[];
  /** Of `errors`, those of users who had failed before the rollout began. */
  readonly known_errors: number;
  /** Users that failed in this tick. */
  readonly failed_keys: number;
  /** Of them, those that never failed before, history included. */
  readonly new_failed_keys: number;
}

/** What only the one who scores may read. */
export interface Truth {
  /** Failures more than stable's, as a part of the canary's requests. */
  readonly excessErr: number;
  /** Requests slower than stable's p95 more than stable's, as a part of the canary's. */
  readonly excessSlow: number;
  /** Requests of this tick that the canary harmed. */
  readonly harmed: number;
  readonly rps: number;
}

/** Counts of one tick, which has just ended. */
export interface Tick {
  readonly t: number;
  /** Start of the tick, in seconds of the rollout; below 0 in the history. */
  readonly sec: number;
  /** Part of the traffic that went to the canary. */
  readonly weight: number;
  readonly stable: SideCounts;
  readonly canary: SideCounts;
  /** Two random halves of stable's instances; they sum to `stable`. */
  readonly stable_split: readonly [SideCounts, SideCounts];
  /** For scoring only: a judge that reads it is broken. */
  readonly truth: Truth;
}

export interface PolicyContext {
  readonly tickS: number;
  /** Upper bounds of the latency buckets, in milliseconds. */
  readonly bounds: readonly number[];
  /** Ticks before the rollout. */
  readonly history: readonly Tick[];
}

/** What a judge wants after a tick; a weight holds from the next tick on. */
export type Action = (
  | { readonly action: "hold" }
  | { readonly action: "weight"; readonly weight: number }
  | { readonly action: "rollback" }
  | { readonly action: "promote" }
) & { readonly why?: string };

/** A judge with its ramp, for one rollout. */
export interface Policy {
  /** The weight of the first tick. */
  start(context: PolicyContext): number;
  step(tick: Tick): Action;
}

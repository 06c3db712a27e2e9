import type { OutcomeClass } from "../contract/evidence.ts";
import type { VariantName } from "../contract/rollout.ts";
import type { Reason } from "../core/decide/types.ts";

/** What a series is about. */
export interface CellLabels {
  readonly rollout: string;
  readonly variant: VariantName;
  readonly run: number;
  readonly control: boolean;
}

/** How a request ended; without a latency where the time says nothing about the variant. */
export interface Ended {
  readonly class: OutcomeClass;
  readonly latencyMs: number | undefined;
  readonly isSession: boolean;
}

/** Counts of one variant in one run: plain numbers, because an OpenTelemetry counter costs a microsecond a call. */
export interface Cell {
  readonly labels: CellLabels;
  /** Begin of these cumulative counts, Unix milliseconds. */
  readonly startMs: number;
  readonly decisions: Record<Reason, number>;
  readonly outcomes: Record<OutcomeClass, number>;
  /** Decided requests that no one waits for any more. */
  settled: number;
  /** Of the settled: another cluster answered. */
  elsewhere: number;
  /** One count per latency bound, and one for what is slower; undefined before the first. */
  latency: number[] | undefined;
  latencySumMs: number;
  /** Grows with each change, over all cells, so that evidence sends only what moved. */
  version: number;
  /** Its run is in force no more. */
  isOld: boolean;
}

import type { HalfName, OutcomeClass } from "../contract/evidence.ts";
import type { VariantName } from "../contract/rollout.ts";
import type { Reason } from "../core/decide/types.ts";
import type { Distribution } from "../io/distribution.ts";

/** What a series is about. */
export interface CellLabels {
  readonly rollout: string;
  readonly variant: VariantName;
  readonly run: number;
  readonly control: boolean;
}

/** How a request ended; without a latency where the time says nothing about the variant. */
export interface Ended {
  /** Stands for the user, under the rollout's salt; undefined without a key. */
  readonly bucket?: number | undefined;
  /** Which of two halves the upstream host is in; undefined without one. */
  readonly isOddHost?: boolean | undefined;
  readonly class: OutcomeClass;
  readonly latencyMs: number | undefined;
  readonly isSession: boolean;
}

/** What people want to know of a request's end besides, and no judge does. */
export interface Seen {
  readonly grpcStatus: number | undefined;
  /** It failed on its variant, and stable answered in its place. */
  readonly isRescued: boolean;
  /** From the request's first byte at Envoy to the last to the client, and to the first of the answer; undefined where that was no whole answer. */
  readonly endToEndMs: number | undefined;
  readonly firstByteMs: number | undefined;
}

/** One of two halves of a cell; the rest of the cell is the other. */
export interface HalfCell {
  ok: number;
  failed: number;
  /** One count per latency bound, and one for what is slower. */
  readonly latency: number[];
  /** Where the last request went that belongs to neither half: such go to each in turn. */
  wasStray: boolean;
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
  /** By gRPC status, for people; undefined before the first, like the next two. */
  grpc: number[] | undefined;
  endToEnd: Distribution | undefined;
  firstByte: Distribution | undefined;
  rescued: number;
  /** Stable by upstream host and by user; undefined before the first outcome, and for other variants. */
  halves: Readonly<Record<HalfName, HalfCell>> | undefined;
  /** Grows with each change, over all cells, so that evidence sends only what moved. */
  version: number;
  /** Its run is in force no more. */
  isOld: boolean;
  /** Takes all that there is no room for; it is no evidence. */
  readonly isOverflow: boolean;
}

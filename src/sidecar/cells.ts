import type { OutcomeClass } from "../contract/evidence.ts";
import { LATENCY_BOUNDS_MS, STABLE } from "../contract/names.ts";
import type { Reason } from "../core/decide/types.ts";
import { countIn, emptyCounts, emptyDistribution, measure } from "../io/distribution.ts";
import type { Cell, CellLabels, Ended, Seen } from "./cell.ts";
import { countGrpc, emptyGrpc } from "./grpc-counts.ts";
import { countHalves } from "./halves.ts";
import { type CellRoom, KeptCells } from "./kept-cells.ts";

/** Answers of one class, or the times of some, as another told them: `latency[i]` by the bounds of the contract. */
export type ToldAnswers = Readonly<{ class: OutcomeClass; count: number }> | Readonly<{ latency: readonly number[]; sumMs: number }>;

/** The cells of one sidecar, bounded: the last runs of each rollout, so many of old runs, and so many in all. */
export interface Cells {
  /** A session is settled with its decision: it lasts as long as both sides like. */
  decided(labels: CellLabels, reason: Reason, isSession?: boolean): void;
  ended(labels: CellLabels, outcome: Ended, seen?: Seen): void;
  /** Another cluster answered, so its end says nothing about the variant that was decided. Tells how many did so. */
  elsewhere(labels: CellLabels, isSession?: boolean): number;
  /** What nobody decided one by one: nothing is settled, nor halved. */
  told(labels: CellLabels, answers: ToldAnswers): void;
  /** Names of the rollouts that have cells; may be walked while cells come and go. */
  rollouts(): Iterable<string>;
  of(rollout: string): readonly Cell[];
  forget(rollout: string): void;
  /** May be walked while cells come and go. */
  all(): Iterable<Cell>;
  /** The same, and what there was no room for: for people. */
  shown(): Iterable<Cell>;
}

/** Makes an empty set of cells. */
export function createCells(options: CellRoom): Cells {
  const kept = new KeptCells(options);
  return {
    decided(labels, reason, isSession = false) {
      const cell = kept.cellOf(labels);
      if (cell === undefined) return;
      if (isSession) cell.settled += 1;
      cell.decisions[reason] += 1;
      kept.changed(cell);
    },
    ended(labels, ended, seen) {
      const { class: outcome, latencyMs, isSession } = ended;
      const cell = kept.cellOf(labels);
      if (cell === undefined) return;
      cell.outcomes[outcome] += 1;
      if (!isSession) cell.settled += 1;
      if (latencyMs !== undefined) {
        countIn((cell.latency ??= emptyCounts(LATENCY_BOUNDS_MS)), LATENCY_BOUNDS_MS, latencyMs);
        cell.latencySumMs += latencyMs;
      }
      if (labels.variant === STABLE) countHalves(cell, ended);
      if (seen !== undefined) countSeen(cell, seen);
      kept.changed(cell);
    },
    elsewhere(labels, isSession = false) {
      const cell = kept.cellOf(labels);
      if (cell === undefined) return 0;
      cell.elsewhere += 1;
      if (!isSession) cell.settled += 1;
      kept.changed(cell);
      return cell.elsewhere;
    },
    told(labels, answers) {
      const cell = kept.cellOf(labels);
      if (cell === undefined) return;
      if ("class" in answers) cell.outcomes[answers.class] += answers.count;
      else {
        cell.latency = (cell.latency ?? emptyCounts(LATENCY_BOUNDS_MS)).map((count, bucket) => count + (answers.latency[bucket] ?? 0));
        cell.latencySumMs += answers.sumMs;
      }
      kept.changed(cell);
    },
    rollouts: () => kept.rollouts(),
    of: (rollout) => kept.of(rollout),
    forget: (rollout) => kept.forget(rollout),
    all: () => kept.all(),
    shown: () => kept.shown(),
  };
}

function countSeen(cell: Cell, { grpcStatus, isRescued, endToEndMs, firstByteMs }: Seen): void {
  if (grpcStatus !== undefined) countGrpc((cell.grpc ??= emptyGrpc()), grpcStatus);
  if (isRescued) cell.rescued += 1;
  if (endToEndMs !== undefined) measure((cell.endToEnd ??= emptyDistribution(LATENCY_BOUNDS_MS)), endToEndMs);
  if (firstByteMs !== undefined) measure((cell.firstByte ??= emptyDistribution(LATENCY_BOUNDS_MS)), firstByteMs);
}

import { LATENCY_BOUNDS_MS } from "../contract/names.ts";
import type { Reason } from "../core/decide/types.ts";
import type { Cell, CellLabels, Ended } from "./cell.ts";
import { type CellRoom, KeptCells } from "./kept-cells.ts";

/** The cells of one sidecar, bounded: the last runs of each rollout, so many of old runs, and so many in all. */
export interface Cells {
  /** A session is settled with its decision: it lasts as long as both sides like. */
  decided(labels: CellLabels, reason: Reason, isSession?: boolean): void;
  ended(labels: CellLabels, outcome: Ended): void;
  /** Another cluster answered, so its end says nothing about the variant that was decided. Tells how many did so. */
  elsewhere(labels: CellLabels, isSession?: boolean): number;
  /** Names of the rollouts that have cells; may be walked while cells come and go. */
  rollouts(): Iterable<string>;
  of(rollout: string): readonly Cell[];
  forget(rollout: string): void;
  /** May be walked while cells come and go. */
  all(): Iterable<Cell>;
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
    ended(labels, { class: outcome, latencyMs, isSession }) {
      const cell = kept.cellOf(labels);
      if (cell === undefined) return;
      cell.outcomes[outcome] += 1;
      if (!isSession) cell.settled += 1;
      if (latencyMs !== undefined) {
        cell.latency ??= Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
        const bucket = bucketIndex(latencyMs);
        cell.latency[bucket] = (cell.latency[bucket] ?? 0) + 1;
        cell.latencySumMs += latencyMs;
      }
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
    rollouts: () => kept.rollouts(),
    of: (rollout) => kept.of(rollout),
    forget: (rollout) => kept.forget(rollout),
    all: () => kept.all(),
  };
}

/** Index of the first bound that is not below the value; the number of bounds for the open bucket. */
export function bucketIndex(latencyMs: number): number {
  const index = LATENCY_BOUNDS_MS.findIndex((bound) => latencyMs <= bound);
  return index === -1 ? LATENCY_BOUNDS_MS.length : index;
}

import type { OutcomeClass } from "../contract/evidence.ts";
import { LATENCY_BOUNDS_MS } from "../contract/names.ts";
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
  readonly decisions: Map<Reason, number>;
  readonly outcomes: Record<OutcomeClass, number>;
  /** Decided requests that no one waits for any more. */
  settled: number;
  /** One count per latency bound, and one for what is slower. */
  readonly latency: number[];
  latencySumMs: number;
  /** +1 at each change, so that evidence sends only what moved. */
  version: number;
}

const RUNS_KEPT = 8;

/** About 400 bytes each; a rollout has at most three a run. */
const MAX_CELLS = 10_000;

/** The cells of one sidecar, bounded: the last runs of each rollout, and so many in all. */
export interface Cells {
  /** A session is settled with its decision: it lasts as long as both sides like. */
  decided(labels: CellLabels, reason: Reason, isSession?: boolean): void;
  ended(labels: CellLabels, outcome: Ended): void;
  /** Ended, and says nothing about the variant that was decided. */
  settled(labels: CellLabels): void;
  /** Forgets rollouts that are in the rule set no more. */
  keepOnly(rollouts: ReadonlySet<string>): void;
  all(): readonly Cell[];
}

/** Makes an empty set of cells; `nowMs` stamps new ones, `onOverflow` hears of each count for which there is no room. */
export function createCells(nowMs: () => number, onOverflow: () => void = () => undefined, maxCells = MAX_CELLS): Cells {
  // A rollout has a few cells, so that looking through them is faster than any key made of labels.
  const byRollout = new Map<string, Cell[]>();
  let size = 0;

  const cellOf = (labels: CellLabels): Cell | undefined => {
    const { rollout, variant, run, control } = labels;
    const cells = byRollout.get(rollout) ?? [];
    // From the end, where the run in force stands.
    const found = cells.findLast(({ labels: known }) => known.run === run && known.variant === variant && known.control === control);
    if (found !== undefined) return found;
    if (size >= maxCells) {
      onOverflow();
      return undefined;
    }
    const cell = emptyCell({ rollout, variant, run, control }, nowMs());
    const kept = withoutOldRuns([...cells, cell]);
    byRollout.set(rollout, kept);
    size += kept.length - cells.length;
    return cell;
  };

  return {
    decided(labels, reason, isSession = false) {
      const cell = cellOf(labels);
      if (cell === undefined) return;
      if (isSession) cell.settled += 1;
      cell.decisions.set(reason, (cell.decisions.get(reason) ?? 0) + 1);
      cell.version += 1;
    },
    ended(labels, { class: outcome, latencyMs, isSession }) {
      const cell = cellOf(labels);
      if (cell === undefined) return;
      cell.outcomes[outcome] += 1;
      if (!isSession) cell.settled += 1;
      if (latencyMs !== undefined) {
        const bucket = bucketIndex(latencyMs);
        cell.latency[bucket] = (cell.latency[bucket] ?? 0) + 1;
        cell.latencySumMs += latencyMs;
      }
      cell.version += 1;
    },
    settled(labels) {
      const cell = cellOf(labels);
      if (cell === undefined) return;
      cell.settled += 1;
      cell.version += 1;
    },
    keepOnly(rollouts) {
      for (const [rollout, cells] of byRollout) {
        if (rollouts.has(rollout)) continue;
        byRollout.delete(rollout);
        size -= cells.length;
      }
    },
    all: () => [...byRollout.values()].flat(),
  };
}

const emptyCell = (labels: CellLabels, startMs: number): Cell => ({
  labels,
  startMs,
  decisions: new Map(),
  outcomes: { ok: 0, failed: 0, aborted: 0, local: 0 },
  settled: 0,
  latency: Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0),
  latencySumMs: 0,
  version: 0,
});

/** The cells of the last runs. */
function withoutOldRuns(cells: readonly Cell[]): Cell[] {
  const runs = [...new Set(cells.map(({ labels }) => labels.run))].toSorted((a, b) => b - a);
  const oldest = runs[RUNS_KEPT - 1] ?? 0;
  return cells.filter(({ labels }) => labels.run >= oldest);
}

/** Index of the first bound that is not below the value; the number of bounds for the open bucket. */
export function bucketIndex(latencyMs: number): number {
  const index = LATENCY_BOUNDS_MS.findIndex((bound) => latencyMs <= bound);
  return index === -1 ? LATENCY_BOUNDS_MS.length : index;
}

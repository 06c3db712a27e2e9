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

/** Counts of one variant in one run: plain numbers, because an OpenTelemetry counter costs a microsecond a call. */
export interface Cell {
  readonly labels: CellLabels;
  /** Begin of these cumulative counts, Unix milliseconds. */
  readonly startMs: number;
  readonly decisions: Map<Reason, number>;
  readonly outcomes: Record<OutcomeClass, number>;
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
  decided(labels: CellLabels, reason: Reason): void;
  ended(labels: CellLabels, outcome: OutcomeClass, latencyMs: number | undefined): void;
  /** Forgets rollouts that are in the rule set no more. */
  keepOnly(rollouts: ReadonlySet<string>): void;
  all(): readonly Cell[];
}

/** Makes an empty set of cells; `nowMs` stamps new ones, `onOverflow` hears of each count for which there is no room. */
export function createCells(nowMs: () => number, onOverflow: () => void = () => undefined, maxCells = MAX_CELLS): Cells {
  const byRollout = new Map<string, Map<string, Cell>>();
  let size = 0;

  const cellOf = (labels: CellLabels): Cell | undefined => {
    let cells = byRollout.get(labels.rollout);
    if (cells === undefined) byRollout.set(labels.rollout, (cells = new Map()));
    const key = `${labels.run} ${labels.variant} ${labels.control}`;
    let cell = cells.get(key);
    if (cell === undefined) {
      if (size >= maxCells) {
        onOverflow();
        return undefined;
      }
      cell = emptyCell(labels, nowMs());
      cells.set(key, cell);
      size += 1 - dropOldRuns(cells);
    }
    return cell;
  };

  return {
    decided(labels, reason) {
      const cell = cellOf(labels);
      if (cell === undefined) return;
      cell.decisions.set(reason, (cell.decisions.get(reason) ?? 0) + 1);
      cell.version += 1;
    },
    ended(labels, outcome, latencyMs) {
      const cell = cellOf(labels);
      if (cell === undefined) return;
      cell.outcomes[outcome] += 1;
      if (latencyMs !== undefined) {
        const bucket = bucketIndex(latencyMs);
        cell.latency[bucket] = (cell.latency[bucket] ?? 0) + 1;
        cell.latencySumMs += latencyMs;
      }
      cell.version += 1;
    },
    keepOnly(rollouts) {
      for (const [rollout, cells] of byRollout) {
        if (rollouts.has(rollout)) continue;
        byRollout.delete(rollout);
        size -= cells.size;
      }
    },
    all: () => [...byRollout.values()].flatMap((cells) => [...cells.values()]),
  };
}

const emptyCell = (labels: CellLabels, startMs: number): Cell => ({
  labels,
  startMs,
  decisions: new Map(),
  outcomes: { ok: 0, failed: 0, aborted: 0, local: 0 },
  latency: Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0),
  latencySumMs: 0,
  version: 0,
});

/** Tells how many cells went. */
function dropOldRuns(cells: Map<string, Cell>): number {
  const before = cells.size;
  const runs = [...new Set([...cells.values()].map(({ labels }) => labels.run))].toSorted((a, b) => b - a);
  const oldest = runs[RUNS_KEPT - 1];
  if (oldest === undefined) return 0;
  for (const [key, { labels }] of cells) if (labels.run < oldest) cells.delete(key);
  return before - cells.size;
}

/** Index of the first bound that is not below the value; the number of bounds for the open bucket. */
export function bucketIndex(latencyMs: number): number {
  const index = LATENCY_BOUNDS_MS.findIndex((bound) => latencyMs <= bound);
  return index === -1 ? LATENCY_BOUNDS_MS.length : index;
}

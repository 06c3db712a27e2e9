import { STABLE } from "../contract/names.ts";
import type { Cell, CellLabels } from "./cell.ts";

/** Of one rollout. */
const RUNS_KEPT = 8;

/** Cells of runs that are over, of all rollouts together. */
const MAX_OLD = 10_000;

/** About 600 bytes each, 500 more for times that people look at, and 600 for the halves of stable. A run in force has one for each variant and for the control, so that 10,000 rollouts leave room. */
const MAX_CELLS = 60_000;

/** What bounds the cells of a sidecar. */
export interface CellRoom {
  /** Stamps new cells. */
  nowMs(): number;
  /** Undefined where the rules know no such rollout. */
  runInForce(rollout: string): number | undefined;
  /** Of a rollout that ended long ago, of which no cell begins any more. */
  isOver?(rollout: string): boolean;
  /** Hears of each count for which there is no room. */
  onOverflow?(): void;
  readonly maxOld?: number;
  readonly maxCells?: number;
}

/** The cells that there is room for: those of runs in force before all others. */
export class KeptCells {
  readonly #room: CellRoom;
  readonly #maxOld: number;
  readonly #maxCells: number;
  /** A rollout has a few cells, so that looking through them is faster than any key made of labels. */
  readonly #byRollout = new Map<string, readonly Cell[]>();
  /** The least recently changed first. */
  readonly #old = new Set<Cell>();
  #size = 0;
  #overflow: Cell | undefined;
  #changes = 0;

  constructor(room: CellRoom) {
    this.#room = room;
    this.#maxOld = room.maxOld ?? MAX_OLD;
    this.#maxCells = room.maxCells ?? MAX_CELLS;
  }

  /** Begins one where there is none; undefined when nothing should be counted. Where there is no room, it is one for all. */
  cellOf({ rollout, variant, run, control }: CellLabels): Cell | undefined {
    // From the end, where the run in force stands.
    const found = this.of(rollout).findLast(
      ({ labels: known }) => known.run === run && known.variant === variant && known.control === control,
    );
    return found ?? this.#begin({ rollout, variant, run, control });
  }

  changed(cell: Cell): void {
    this.#changes += 1;
    cell.version = this.#changes;
    if (!cell.isOld) return;
    this.#old.delete(cell);
    this.#old.add(cell);
  }

  rollouts(): Iterable<string> {
    return this.#byRollout.keys();
  }

  of(rollout: string): readonly Cell[] {
    return this.#byRollout.get(rollout) ?? [];
  }

  *all(): Generator<Cell> {
    for (const cells of this.#byRollout.values()) yield* cells;
  }

  *shown(): Generator<Cell> {
    yield* this.all();
    if (this.#overflow !== undefined) yield this.#overflow;
  }

  forget(rollout: string): void {
    this.#keep(rollout, []);
  }

  #begin(labels: CellLabels): Cell | undefined {
    const { rollout } = labels;
    if (this.#room.isOver?.(rollout) === true) return undefined;
    // Only here, so that a change of rules costs nothing: a run that nobody has counted for takes no room from another.
    for (const cell of this.of(rollout)) this.#age(cell);
    if (this.#old.size > this.#maxOld || this.#size >= this.#maxCells) this.#dropOldest();
    if (this.#size >= this.#maxCells) {
      this.#room.onOverflow?.();
      return (this.#overflow ??= { ...emptyCell(NO_LABELS, this.#room.nowMs()), isOverflow: true });
    }
    const cell = emptyCell(labels, this.#room.nowMs());
    this.#age(cell);
    this.#keep(rollout, [...this.of(rollout), cell]);
    const kept = withoutOldRuns(this.of(rollout));
    this.#keep(rollout, kept);
    // A late outcome of a run that is too old to be kept.
    return kept.includes(cell) ? cell : undefined;
  }

  #age(cell: Cell): void {
    const isOld = cell.labels.run !== this.#room.runInForce(cell.labels.rollout);
    if (isOld === cell.isOld) return;
    cell.isOld = isOld;
    if (isOld) this.#old.add(cell);
    else this.#old.delete(cell);
  }

  /** Some at once, because finding the first of a set passes all that have left it. */
  #dropOldest(): void {
    const maxOld = this.#maxOld - Math.floor(this.#maxOld / 16);
    for (const cell of this.#old) {
      if (this.#old.size <= maxOld && this.#size < this.#maxCells) return;
      // Its run may have come into force again.
      this.#age(cell);
      if (!cell.isOld) continue;
      const { rollout } = cell.labels;
      const others = this.of(rollout).filter((each) => each !== cell);
      this.#keep(rollout, others);
    }
  }

  #keep(rollout: string, kept: readonly Cell[]): void {
    const before = this.of(rollout);
    for (const cell of before) if (cell.isOld && !kept.includes(cell)) this.#old.delete(cell);
    this.#size += kept.length - before.length;
    if (kept.length > 0) this.#byRollout.set(rollout, kept);
    else this.#byRollout.delete(rollout);
  }
}

const NO_LABELS: CellLabels = { rollout: "", variant: STABLE, run: 0, control: false };

const emptyCell = (labels: CellLabels, startMs: number): Cell => ({
  labels,
  startMs,
  decisions: { share: 0, target: 0, "no key": 0, "no rollout": 0, off: 0, unwatched: 0, cohort: 0 },
  outcomes: { ok: 0, failed: 0, aborted: 0, local: 0, refused: 0 },
  settled: 0,
  elsewhere: 0,
  latency: undefined,
  latencySumMs: 0,
  grpc: undefined,
  endToEnd: undefined,
  firstByte: undefined,
  rescued: 0,
  halves: undefined,
  version: 0,
  isOld: false,
  isOverflow: false,
});

/** The cells of the last runs, and of the one in force. */
function withoutOldRuns(cells: readonly Cell[]): readonly Cell[] {
  const runs = [...new Set(cells.map(({ labels }) => labels.run))].toSorted((a, b) => b - a);
  const oldest = runs[RUNS_KEPT - 1] ?? 0;
  return cells.filter(({ labels, isOld }) => !isOld || labels.run >= oldest);
}

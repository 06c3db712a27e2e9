import { EVIDENCE_LAG_MS, OVERDUE_MS, OVERDUE_WINDOW_MS } from "./parameters.ts";
import { slowerThan } from "./slow.ts";
import type { OverdueState } from "./state.ts";
import type { Outcomes } from "./types.ts";

/** Index of the last bound that a request is above for sure when it is overdue. */
const overdueBound = (boundsMs: readonly number[]): number => boundsMs.findLastIndex((boundMs) => boundMs <= OVERDUE_MS);

/** Time between two marks; what was decided since the last one is settled a little later. */
const MARK_EVERY_MS = 1_000;

/** Nothing decided yet. */
export const startOverdue = (nowMs: number): OverdueState => ({
  decided: 0,
  settled: 0,
  marks: [],
  peak: { sinceMs: nowMs, before: 0, now: 0 },
  unended: 0,
});

interface Moment {
  readonly nowMs: number;
  readonly boundsMs: readonly number[];
}

/** What a batch led to. */
export interface OverdueChange {
  readonly state: OverdueState;
  /** What it added to the requests counted as slow, less those whose outcome it held. */
  readonly change: number;
}

/**
 * Counts the requests of one variant that should have ended and have not: what had been decided a while ago, minus all that has
 * ended since. So it is never too many, and with few requests that hang it becomes right only after a while. Each is counted
 * once: when its outcome comes after all, it takes the place of the request that was counted before.
 */
export function overdueAfter(before: OverdueState, batch: Outcomes, { nowMs, boundsMs }: Moment): OverdueChange {
  const decided = before.decided + batch.decided;
  const settled = before.settled + batch.settled;
  const dueMs = nowMs - OVERDUE_MS - EVIDENCE_LAG_MS;
  const overdue = (before.marks.findLast(({ atMs }) => atMs <= dueMs)?.decided ?? 0) - settled;
  const peak = peakAfter(before.peak, overdue, nowMs);
  const late = slowerThan(batch.latency, overdueBound(boundsMs));
  const known = Math.min(before.unended, late);
  const kept = Math.min(before.unended - known, Math.max(peak.before, peak.now));
  const found = Math.max(0, overdue - kept);
  const marks = marksAfter(before.marks, { atMs: nowMs, decided }, dueMs);
  return { state: { decided, settled, marks, peak, unended: kept + found }, change: found - known };
}

/** Requests that are counted as slower than the latency bound of this index because they have not ended: they say nothing of a bound above their age. */
export const unendedAbove = (bound: number, unended: number, boundsMs: readonly number[]): number =>
  bound <= overdueBound(boundsMs) ? unended : 0;

/** Slow requests and all of them, by the histogram of those that ended and the number of more that are slow because they have not. */
export function slowOf(latency: readonly number[], more: number, bound: number): Readonly<{ hits: number; all: number }> {
  let [hits, all] = [more, more];
  for (let bucket = 0; bucket < latency.length; bucket += 1) {
    const count = Number(latency[bucket]);
    all += count;
    if (bucket > bound) hits += count;
  }
  return { hits, all };
}

/** The greatest number of the last one to two windows: a number that was too great, as when a sidecar was not heard, does not last. */
function peakAfter(peak: OverdueState["peak"], overdue: number, nowMs: number): OverdueState["peak"] {
  const isOver = nowMs - peak.sinceMs >= OVERDUE_WINDOW_MS;
  const { sinceMs, before, now } = isOver ? { sinceMs: nowMs, before: peak.now, now: 0 } : peak;
  return { sinceMs, before, now: Math.max(now, overdue) };
}

type Marks = OverdueState["marks"];

/** Marks that will still be asked for, and the newest of those that are due. */
function marksAfter(marks: Marks, mark: Marks[number], dueMs: number): Marks {
  const due = marks.findLastIndex(({ atMs }) => atMs <= dueMs);
  const kept = marks.slice(Math.max(0, due));
  const last = kept.at(-1);
  return last !== undefined && mark.atMs - last.atMs < MARK_EVERY_MS ? kept : [...kept, mark];
}

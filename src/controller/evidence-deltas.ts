import * as z from "zod";
import type { Point } from "./evidence-points.ts";

const CursorSchema = z.strictObject({
  start: z.string().describe("Begin of the series, Unix nanoseconds."),
  values: z.array(z.number()).describe("Cumulative values already counted."),
});

const SourceSchema = z.strictObject({
  sequence: z.int().min(0).describe("Of the newest message counted."),
  start: z.string().describe("Newest begin of a series seen, Unix nanoseconds: a later one with a lower sequence is a new process."),
  series: z.record(z.string(), z.strictObject({ run: z.int(), cursor: CursorSchema })),
});

/** What has been counted of one rollout's evidence, per sidecar and series; stored with the judge's state. */
export const CursorsSchema = z.strictObject({
  closedBelow: z.int().min(0).describe("Runs below it are closed: their cursors are gone, and their late evidence no longer counts."),
  sources: z.record(z.string(), SourceSchema),
});

export type Cursors = z.infer<typeof CursorsSchema>;
type Source = z.infer<typeof SourceSchema>;

/** New counts of one series since the last message. */
export type Delta = Readonly<Pick<Point, "measure" | "half" | "variant" | "control" | "run" | "values">>;

/** Nothing counted yet; evidence of runs before `firstRun` belongs to an earlier attempt and never counts. */
export const noCursors = (firstRun: number): Cursors => ({ closedBelow: firstRun, sources: {} });

/**
 * Cumulative values minus what was counted before. A later start or a lower value is a series that began anew and counts
 * from zero; a message seen before, or overtaken by a newer one, counts nothing.
 */
export function deltas(
  cursors: Cursors,
  sidecar: string,
  sequence: number,
  points: readonly Point[],
): Readonly<{ cursors: Cursors; deltas: readonly Delta[] }> {
  const before: Source = cursors.sources[sidecar] ?? { sequence: 0, start: "0", series: {} };
  const newest = points.reduce((start, point) => (point.start > start ? point.start : start), 0n);
  const isOvertaken = sequence !== 0 && sequence <= before.sequence && newest <= BigInt(before.start);
  if (isOvertaken) return { cursors, deltas: [] };
  const series = { ...before.series };
  const found: Delta[] = [];
  let taken = 0;
  for (const point of points) {
    if (point.run < cursors.closedBelow) continue;
    const values = growth(series[point.series]?.cursor, point);
    if (values === undefined) continue;
    taken += 1;
    series[point.series] = { run: point.run, cursor: { start: String(point.start), values: [...point.values] } };
    if (values.some((value) => value > 0)) {
      const { measure, half, variant, control, run } = point;
      found.push({ measure, half, variant, control, run, values });
    }
  }
  // Of the process before, and late, or of runs that are closed: its sequence says nothing of the messages of this one.
  if (taken === 0) return { cursors, deltas: [] };
  const start = newest > BigInt(before.start) ? String(newest) : before.start;
  return { cursors: { ...cursors, sources: { ...cursors.sources, [sidecar]: { sequence, start, series } } }, deltas: found };
}

/** Undefined when the point is older than what was counted. */
function growth(cursor: z.infer<typeof CursorSchema> | undefined, point: Point): readonly number[] | undefined {
  if (cursor === undefined) return point.values;
  const start = BigInt(cursor.start);
  if (point.start < start) return undefined;
  const isAnew = point.start > start || point.values.some((value, index) => value < (cursor.values[index] ?? 0));
  return isAnew ? point.values : point.values.map((value, index) => value - (cursor.values[index] ?? 0));
}

/** Forgets the cursors of runs below `run`, to keep the record small; late evidence of those runs is given up with them. */
export function closeRuns(cursors: Cursors, run: number): Cursors {
  if (run <= cursors.closedBelow) return cursors;
  const sources = Object.entries(cursors.sources).map(([sidecar, source]) => {
    const series = Object.fromEntries(Object.entries(source.series).filter(([, entry]) => entry.run >= run));
    return [sidecar, { ...source, series }] as const;
  });
  return { closedBelow: run, sources: Object.fromEntries(sources) };
}

import { STABLE } from "../contract/names.ts";
import type { SourcedReport } from "./judging.ts";
import type { Seat } from "./seats.ts";

/** Judging all rollouts once may take so much of a second for each of them: a judgement with its record takes half a millisecond. */
const JUDGE_MS = 2;

/** Whether so many rollouts leave time to judge this one again; what failed on a canary does not ask. */
export const isJudgeDue = ({ judgedMs }: Seat, rollouts: number, monotonicMs: number): boolean =>
  monotonicMs - judgedMs >= rollouts * JUDGE_MS;

/** Whether a report tells of requests of this rollout that failed on a canary and are not counted yet. */
function tellsOfFailures({ name, judging }: Seat, { sidecar, report }: SourcedReport): boolean {
  const counted = judging.cursors.sources[sidecar]?.series;
  return report.points.some(
    ({ rollout, measure, variant, series, values }) =>
      rollout === name && measure === "failed" && variant !== STABLE && (values[0] ?? 0) > (counted?.[series]?.cursor.values[0] ?? 0),
  );
}

/** Puts reports to the rollouts that they are about, and tells which of these are to be judged at once. */
export function sortReports(seats: ReadonlyMap<string, Seat>, reports: readonly SourcedReport[], monotonicMs: number): ReadonlySet<Seat> {
  const now = new Set<Seat>();
  for (const sourced of reports) {
    for (const name of new Set(sourced.report.points.map(({ rollout }) => rollout))) {
      const seat = seats.get(name);
      if (seat === undefined) continue;
      seat.reports.push(sourced);
      if (isJudgeDue(seat, seats.size, monotonicMs) || tellsOfFailures(seat, sourced)) now.add(seat);
    }
  }
  return now;
}

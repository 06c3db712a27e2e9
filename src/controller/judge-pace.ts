import { STABLE } from "../contract/names.ts";
import type { Point, Report } from "./evidence-points.ts";
import type { SourcedReport } from "./judging.ts";
import type { Seat } from "./seats.ts";

/** All rollouts are judged once in so much time for each of them: a judgement takes half a millisecond, and sidecars tell of a thousand rollouts every four seconds. */
const JUDGE_MS = 4;

/** Whether so many rollouts leave time to judge this one again; what failed on a canary does not ask. */
export const isJudgeDue = ({ judgedMs }: Seat, rollouts: number, monotonicMs: number): boolean =>
  monotonicMs - judgedMs >= rollouts * JUDGE_MS;

/** Whether some points of a rollout tell of requests that failed on a canary and are not counted yet. */
function tellsOfFailures({ judging }: Seat, { sidecar, report }: SourcedReport): boolean {
  const counted = judging.cursors.sources[sidecar]?.series;
  return report.points.some(
    ({ measure, variant, series, values }) =>
      measure === "failed" && variant !== STABLE && (values[0] ?? 0) > (counted?.[series]?.cursor.values[0] ?? 0),
  );
}

/** Puts reports to the rollouts that they are about, and tells which of these are to be judged at once. */
export function sortReports(seats: ReadonlyMap<string, Seat>, reports: readonly SourcedReport[], monotonicMs: number): ReadonlySet<Seat> {
  const now = new Set<Seat>();
  for (const { sidecar, report } of reports) {
    for (const [name, points] of byRollout(report)) {
      const seat = seats.get(name);
      if (seat === undefined) continue;
      const mine = { sidecar, report: { ...report, points } };
      seat.reports.push(mine);
      if (isJudgeDue(seat, seats.size, monotonicMs) || tellsOfFailures(seat, mine)) now.add(seat);
    }
  }
  return now;
}

function byRollout({ points }: Report): ReadonlyMap<string, readonly Point[]> {
  const found = new Map<string, Point[]>();
  for (const point of points) {
    const mine = found.get(point.rollout);
    if (mine === undefined) found.set(point.rollout, [point]);
    else mine.push(point);
  }
  return found;
}

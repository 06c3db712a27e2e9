import type { SeriesPoint } from "../contract/stream.ts";
import type { VerdictRecord } from "../contract/verdict.ts";

/** A point of the charts: what a verdict said, and the shares at that moment. */
export const seriesPoint = (verdict: VerdictRecord, shares: Pick<SeriesPoint, "shareBp" | "shareSeenBp">): SeriesPoint => ({
  atMs: verdict.atMs,
  ...shares,
  verdict: verdict.verdict,
  checks: verdict.checks.map(({ name, stable, canary, lower, upper, threshold }) => ({ name, stable, canary, lower, upper, threshold })),
});

/** So many points at most are kept of one rollout. */
export const MOST_POINTS = 120;

/**
 * A way with one more point; one that is not newer counts for nothing. Points are as far apart as lets the most of them span the attempt, but
 * for those where the verdict or the share is another; a full way loses every second one.
 */
export function withPoint(points: readonly SeriesPoint[], point: SeriesPoint, most = MOST_POINTS): readonly SeriesPoint[] {
  const [first, last, before] = [points[0], points.at(-1), points.at(-2)];
  if (first === undefined || last === undefined) return [point];
  if (point.atMs <= last.atMs) return points;
  const stepMs = Math.max(LEAST_MS, (point.atMs - first.atMs) / most);
  const isNews = point.verdict !== last.verdict || point.shareBp !== last.shareBp;
  if (before !== undefined && !isNews && point.atMs - before.atMs < stepMs) return [...points.slice(0, -1), point];
  return [...(points.length < most ? points : points.filter((_, index) => index % 2 === 0)), point];
}

const LEAST_MS = 1_000;

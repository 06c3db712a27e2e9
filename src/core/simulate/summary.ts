import type { RunResult } from "./run.ts";

/** The middle one of some values, and the one that a tenth of them are above; null of none. */
export type Spread = Readonly<{ median: number; p90: number }> | null;

/** What many runs of one case come to. Ratios are of all runs, times in milliseconds. */
export interface CaseSummary {
  readonly promoted: number;
  readonly rolledBack: number;
  /** No end by itself. */
  readonly held: number;
  readonly promotedMs: Spread;
  /** From the begin of the fault, where there is one. */
  readonly rolledBackMs: Spread;
  readonly harmedRequests: Spread;
  readonly harmedUsers: Spread;
  /** Middle share at times that are evenly apart, in basis points, from the begin to the end. */
  readonly shares: readonly Readonly<{ atMs: number; shareBp: number }>[];
}

/**
 * Users that were harmed, where each makes so many requests while it lasts: of a canary that fails always one for all of them,
 * of one that fails seldom nearly one for each failure.
 */
export function harmedUsers({ exposed, harmed }: Pick<RunResult, "exposed" | "harmed">, requestsPerUser: number): number {
  if (exposed === 0) return 0;
  const spared = (1 - Math.min(1, harmed / exposed)) ** requestsPerUser;
  return (exposed / requestsPerUser) * (1 - spared);
}

const POINTS = 60;

/** Sums up the runs of one case; `fromMs` is when its fault began, 0 without one. */
export function summaryOf(
  runs: readonly RunResult[],
  { fromMs, requestsPerUser }: { fromMs: number; requestsPerUser: number },
): CaseSummary {
  const of = (outcome: RunResult["outcome"]): readonly RunResult[] => runs.filter((run) => run.outcome === outcome);
  const part = (outcome: RunResult["outcome"]): number => of(outcome).length / Math.max(1, runs.length);
  return {
    promoted: part("promoted"),
    rolledBack: part("rolledBack"),
    held: part("held"),
    promotedMs: spreadOf(of("promoted").map(({ atMs }) => atMs)),
    // One that goes back before its fault shows is no catch.
    rolledBackMs: spreadOf(of("rolledBack").flatMap(({ atMs }) => (atMs > fromMs ? [atMs - fromMs] : []))),
    harmedRequests: spreadOf(runs.map(({ harmed }) => Math.round(harmed))),
    harmedUsers: spreadOf(runs.map((run) => Math.round(harmedUsers(run, requestsPerUser)))),
    shares: sharesOf(runs),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number | undefined => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  const [median, p90] = [at(0.5), at(0.9)];
  return median === undefined || p90 === undefined ? null : { median, p90 };
}

/** What most runs serve at a time: half of them this share at least. */
function sharesOf(runs: readonly RunResult[]): CaseSummary["shares"] {
  const endMs = spreadOf(runs.map(({ atMs }) => atMs))?.p90 ?? 0;
  return Array.from({ length: POINTS }, (_, index) => {
    const atMs = Math.round((endMs * index) / (POINTS - 1));
    const shareBp = spreadOf(runs.map(({ shares }) => shares.findLast((each) => each.atMs <= atMs)?.shareBp ?? 0))?.median ?? 0;
    return { atMs, shareBp };
  });
}

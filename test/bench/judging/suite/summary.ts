import { PEERS } from "./policies.ts";
import { middleOf, type Row, TRICKLE_RPS } from "./rows.ts";

/** The figures of one judge over all scenarios; null where there are no such scenarios. */
export interface Summary {
  readonly policy: string;
  /** Good canaries rolled back: mean of the core scenarios, and of all but those with almost no traffic. */
  readonly falseCore: number | null;
  readonly falseAll: number | null;
  readonly worst: { readonly scenario: string; readonly rollback: number } | null;
  /** Bad canaries promoted: mean of the scenarios. */
  readonly missed: number | null;
  /** Geometric mean of the medians. */
  readonly harmed: number | null;
  /** Median of the core scenarios' medians. */
  readonly promoteS: number | null;
  /** Of good runs at 50 requests a second or more, the part that ends in `promote`. */
  readonly promoted: number | null;
}

/** Where one wants a good canary to reach everyone. */
const BUSY_RPS = 50;
/** Whom a peer catches less often, or blames more often, is no measure of harm. */
const LEAST_CAUGHT = 0.95;
const MOST_FALSE = 0.05;

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Names of the judges, in the rows' order. */
export const policiesIn = (rows: readonly Row[]): string[] => [...new Set(rows.map(({ policy }) => policy))];

/** One judge's figures over all its rows. */
export function summaryOf(rows: readonly Row[], policy: string): Summary {
  const own = rows.filter((row) => row.policy === policy);
  const good = own.filter(({ truth, rps }) => truth === "good" && rps >= TRICKLE_RPS);
  const bad = own.filter(({ truth }) => truth === "bad");
  const core = good.filter(({ isCore }) => isCore);
  const worst = good.toSorted((a, b) => b.rollback - a.rollback)[0];
  const logHarmed = mean(bad.map(({ harmedMed }) => Math.log(Math.max(1, harmedMed))));
  return {
    policy,
    falseCore: mean(core.map(({ rollback }) => rollback)),
    falseAll: mean(good.map(({ rollback }) => rollback)),
    worst: worst === undefined ? null : { scenario: worst.scenario, rollback: worst.rollback },
    missed: mean(bad.map(({ promoted }) => promoted)),
    harmed: logHarmed === null ? null : Math.exp(logHarmed),
    promoteS: middleOf(core.map(({ promoteS }) => promoteS).filter((value) => value !== null)),
    promoted: mean(good.filter(({ rps }) => rps >= BUSY_RPS).map(({ promoted }) => promoted)),
  };
}

/** A judge beside the best of the peers in one bad scenario. */
export interface Comparison {
  readonly row: Row;
  /** The peer that harms fewest of those that catch nearly all here and blame few good canaries; null when none does. */
  readonly best: Row | null;
  /** Harmed requests as a multiple of the best peer's. */
  readonly ratio: number | null;
}

/** Each bad scenario of a judge beside the best peer. */
export function comparisons(rows: readonly Row[], policy: string): Comparison[] {
  const fair = PEERS.filter((peer) => (summaryOf(rows, peer).falseCore ?? 0) < MOST_FALSE);
  return rows
    .filter((row) => row.policy === policy && row.truth === "bad")
    .map((row) => {
      const peers = rows.filter(
        (other) => other.scenario === row.scenario && fair.includes(other.policy) && other.detected >= LEAST_CAUGHT,
      );
      const best = peers.toSorted((a, b) => a.harmedMed - b.harmedMed)[0] ?? null;
      return { row, best, ratio: best === null ? null : row.harmedMed / Math.max(1, best.harmedMed) };
    });
}

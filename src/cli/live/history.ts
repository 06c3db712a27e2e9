import type { VerdictRecord } from "../../contract/verdict.ts";

/** Verdicts remembered of a check. */
const KEPT = 120;

type Differences = (number | null)[];

/** How far the checks of rollouts were apart, as they were seen. */
export interface CheckHistory {
  /** Takes a verdict; one of another attempt begins anew. */
  take(rollout: string, firstRun: number, verdict: Pick<VerdictRecord, "checks">): void;
  /** Check → its differences, oldest first; null where it had none. */
  of(rollout: string): ReadonlyMap<string, readonly (number | null)[]>;
}

/** Begins with nothing seen. */
export function createHistory(): CheckHistory {
  const seen = new Map<string, { readonly firstRun: number; readonly checks: Map<string, Differences> }>();
  return {
    take(rollout, firstRun, { checks }) {
      let attempt = seen.get(rollout);
      if (attempt?.firstRun !== firstRun) seen.set(rollout, (attempt = { firstRun, checks: new Map() }));
      for (const { name, difference } of checks) attempt.checks.set(name, [...(attempt.checks.get(name) ?? []), difference].slice(-KEPT));
    },
    of: (rollout) => seen.get(rollout)?.checks ?? new Map<string, Differences>(),
  };
}

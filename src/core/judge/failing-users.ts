import type { FailingUsers, VariantFailingUsers } from "../../contract/failing-users.ts";
import { STABLE, type VariantName } from "../../contract/rollout.ts";
import { distinct, failingRequests, isExact, type KeySketch, unite, within, without } from "./key-sketch.ts";
import { type Side, sideOf } from "./types.ts";

/** Users that failed under one run on one variant, over all sidecars. */
export interface RunSketch {
  readonly run: number;
  readonly variant: VariantName;
  readonly users: KeySketch;
}

/** What is known of the failing users of one rollout, over all sidecars; a run and variant may stand there more than once. */
export interface UnitedUsers {
  readonly runs: readonly RunSketch[];
  /** Users that failed on stable before the runs above, or while the rollout rested. */
  readonly history: KeySketch;
}

/**
 * What the judge needs of the attempt that began with `firstRun`.
 *
 * *Known* users failed on stable before the attempt. Not on an earlier canary: the same users come first in each attempt, and
 * a bad canary before would blind the judge to a bad one now.
 *
 * A user is *newly failing* on the variant where it failed first: it is not known, and failed under no earlier run of the
 * attempt on either variant. So one that failed on stable is not the canary's fault when a larger share brings it there. Within
 * a run a key has one variant, but for targets; a user that fails on both counts for both.
 */
export function failingUsers({ runs, history }: UnitedUsers, firstRun: number): FailingUsers {
  const before = runs.filter(({ run, variant }) => run < firstRun && variant === STABLE);
  const known = unite([history, ...before.map(({ users }) => users)]);
  const attempt = runs.filter(({ run }) => run >= firstRun);
  const newly: Record<Side, KeySketch[]> = { stable: [], canary: [] };
  let seen = known;
  for (const run of [...new Set(attempt.map((each) => each.run))].toSorted((a, b) => a - b)) {
    const [stable, canary] = [of(attempt, "stable", run), of(attempt, "canary", run)];
    newly.stable.push(without(stable, seen));
    newly.canary.push(without(canary, seen));
    seen = unite([seen, stable, canary]);
  }
  const side = (name: Side): VariantFailingUsers => shown(of(attempt, name), unite(newly[name]), known);
  return { known: Math.round(distinct(known)), stable: side("stable"), canary: side("canary") };
}

/** Users of one side, under one run or all. */
const of = (runs: readonly RunSketch[], side: Side, run?: number): KeySketch =>
  unite(runs.filter((each) => sideOf(each.variant) === side && (run === undefined || each.run === run)).map(({ users }) => users));

function shown(all: KeySketch, newly: KeySketch, known: KeySketch): VariantFailingUsers {
  const ofKnown = within(all, known);
  return {
    distinct: Math.round(distinct(all)),
    newlyFailing: Math.round(distinct(newly)),
    requests: Math.round(failingRequests(all)),
    knownRequests: Math.round(failingRequests(ofKnown)),
    isExact: isExact(all) && isExact(newly) && isExact(ofKnown),
  };
}

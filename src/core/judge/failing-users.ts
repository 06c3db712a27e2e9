import type { FailingUsers, VariantFailingUsers } from "../../contract/failing-users.ts";
import { STABLE, type VariantName } from "../../contract/rollout.ts";
import { countsOf, distinct, failingRequests, isExact, isInKeyHalf, type KeySketch, unite, within, without } from "./key-sketch.ts";
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
  /** Users that failed on stable before the runs above, or while the rollout rested; their requests are failing ones an hour. */
  readonly history: KeySketch;
}

/** An attempt at a rollout. */
export interface Attempt {
  readonly firstRun: number;
  /** Since it began. */
  readonly elapsedMs: number;
}

/**
 * What the judge needs of an attempt.
 *
 * *Known* users failed on stable before the attempt. Not on an earlier canary: the same users come first in each attempt, and
 * a bad canary before would blind the judge to a bad one now. Of their failing requests as many are *known* as their pace before
 * explains: nearly every busy user fails now and then, and one that fails always from now on is as good as new.
 *
 * A user is *newly failing* on the variant where it failed first: it is not known, and failed under no earlier run of the
 * attempt on either variant. So one that failed on stable is not the canary's fault when a larger share brings it there. Within
 * a run a key has one variant, but for targets; a user that fails on both counts for both.
 */
export function failingUsers({ runs, history }: UnitedUsers, { firstRun, elapsedMs }: Attempt): FailingUsers {
  const before = unite(runs.filter(({ run, variant }) => run < firstRun && variant === STABLE).map(({ users }) => users));
  const known = unite([history, before]);
  const expected = expectedRequests({ history, before, elapsedMs });
  const attempt = runs.filter(({ run }) => run >= firstRun);
  const all: Record<Side, KeySketch[]> = { stable: [], canary: [] };
  const newly: Record<Side, KeySketch[]> = { stable: [], canary: [] };
  let seen = known;
  for (const run of [...new Set(attempt.map((each) => each.run))].toSorted((a, b) => a - b)) {
    const [stable, canary] = [of(attempt, "stable", run), of(attempt, "canary", run)];
    all.stable.push(stable);
    all.canary.push(canary);
    newly.stable.push(without(stable, seen));
    newly.canary.push(without(canary, seen));
    seen = unite([seen, stable, canary]);
  }
  const side = (name: Side): VariantFailingUsers => {
    const users = unite(all[name]);
    return shown(users, unite(newly[name]), atMost(within(users, known), expected));
  };
  return { known: Math.round(distinct(known)), stable: side("stable"), canary: side("canary") };
}

/** The users of one of two halves, everywhere. */
export const halfOfUsers = ({ runs, history }: UnitedUsers): UnitedUsers => ({
  runs: runs.map((each) => ({ ...each, users: keyHalf(each.users) })),
  history: keyHalf(history),
});

function keyHalf({ theta, keys, requests }: KeySketch): KeySketch {
  return { theta, keys: keys.filter(isInKeyHalf), requests: requests.filter((_, index) => isInKeyHalf(Number(keys[index]))) };
}

/** Failing requests are no even stream: so many times the pace before, and a few more, are no sign of anything new. */
const PACES = 2;
const A_FEW = 3;
const HOUR_MS = 3_600_000;
/** Many failing requests in a moment are the pace of a longer time: what a user did in a minute before it may do at once. */
const LEAST_MS = 60_000;

/**
 * How many failing requests of a known user are to be expected in the attempt, by its hash. An earlier attempt may have lasted as long
 * as this one, so that as many as then are. Of a history that tells only who failed, any number is.
 */
function expectedRequests({ history, before, elapsedMs }: Readonly<{ history: KeySketch; before: KeySketch; elapsedMs: number }>) {
  const [hourly, earlier] = [countsOf(history), countsOf(before)];
  const hours = Math.max(LEAST_MS, elapsedMs) / HOUR_MS;
  return (hash: number): number => {
    const pace = hourly.get(hash);
    if (pace === 0) return Number.POSITIVE_INFINITY;
    return Math.floor(A_FEW + PACES * hours * (pace ?? 0)) + (earlier.get(hash) ?? 0);
  };
}

/** The same users, each with no more failing requests than this. */
const atMost = ({ theta, keys, requests }: KeySketch, most: (hash: number) => number): KeySketch => ({
  theta,
  keys,
  requests: Float64Array.from(keys, (key, index) => Math.min(Number(requests[index]), most(key))),
});

/** Users of one side under one run. */
const of = (runs: readonly RunSketch[], side: Side, run: number): KeySketch =>
  unite(runs.filter((each) => sideOf(each.variant) === side && each.run === run).map(({ users }) => users));

function shown(all: KeySketch, newly: KeySketch, ofKnown: KeySketch): VariantFailingUsers {
  return {
    distinct: Math.round(distinct(all)),
    newlyFailing: Math.round(distinct(newly)),
    requests: Math.round(failingRequests(all)),
    knownRequests: Math.round(failingRequests(ofKnown)),
    isExact: isExact(all) && isExact(newly) && isExact(ofKnown),
  };
}

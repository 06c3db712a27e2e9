import type { KillOrder } from "../../contract/kills.ts";
import { userHash } from "./bucket.ts";
import type { RequestFacts, Subject } from "./types.ts";

/** Who gets stable whatever the rules say, until it is lifted. */
export interface Kills {
  readonly all: boolean;
  /** Names of rollouts. */
  readonly rollouts: ReadonlySet<string>;
  /** By rollout: users as hashes under its salt. */
  readonly users: ReadonlyMap<string, ReadonlySet<string>>;
  /** By segment: the rollouts that its users are off from. */
  readonly segments: ReadonlyMap<string, "all" | ReadonlySet<string>>;
}

/** Nobody is switched off; the same object everywhere, so that one comparison tells. */
export const NO_KILLS: Kills = { all: false, rollouts: new Set(), users: new Map(), segments: new Map() };

/** For what an operator switched somebody off. */
export type KilledBy = "all" | "rollout" | "user" | { readonly segment: string };

/** Whether operators switched somebody off from a rollout, and for what; undefined where none did. */
export function killedBy(
  kills: Kills,
  { name, seed }: { readonly name: string; readonly seed: number },
  request: RequestFacts,
  { key, segments }: Subject,
): KilledBy | undefined {
  if (kills === NO_KILLS) return undefined;
  if (kills.all) return "all";
  if (kills.rollouts.has(name)) return "rollout";
  if (key !== undefined && kills.users.get(name)?.has(userHash(seed, key)) === true) return "user";
  for (const [segment, rollouts] of kills.segments) {
    // Where a segment is not known, everybody may be in it: off is the safe side.
    if ((rollouts === "all" || rollouts.has(name)) && segments?.mayHold(segment, request, key) !== false) return { segment };
  }
  return undefined;
}

/** What orders add up to. */
export function killsOf(orders: readonly KillOrder[]): Kills {
  if (orders.length === 0) return NO_KILLS;
  const rollouts = new Set<string>();
  const users = new Map<string, Set<string>>();
  const segments = new Map<string, "all" | Set<string>>();
  let all = false;
  for (const { scope } of orders) {
    const { rollout, user, segment } = scope;
    if (segment !== undefined) addSegment(segments, segment, rollout);
    else if (rollout === undefined) all = true;
    else if (user === undefined) rollouts.add(rollout);
    else users.set(rollout, (users.get(rollout) ?? new Set()).add(user));
  }
  return { all, rollouts, users, segments };
}

function addSegment(segments: Map<string, "all" | Set<string>>, segment: string, rollout: string | undefined): void {
  const before = segments.get(segment);
  if (rollout === undefined) segments.set(segment, "all");
  else if (before !== "all") segments.set(segment, (before ?? new Set()).add(rollout));
}

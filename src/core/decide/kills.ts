import { userHash } from "./bucket.ts";

/** Who gets stable whatever the rules say, until it is lifted. */
export interface Kills {
  readonly all: boolean;
  /** Names of rollouts. */
  readonly rollouts: ReadonlySet<string>;
  /** By rollout: users as hashes under its salt. */
  readonly users: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Nobody is switched off; the same object everywhere, so that one comparison tells. */
export const NO_KILLS: Kills = { all: false, rollouts: new Set(), users: new Map() };

/** Whether operators switched somebody off from a rollout; `key` is undefined without one. */
export function isKilled(kills: Kills, { name, seed }: { readonly name: string; readonly seed: number }, key: string | undefined): boolean {
  if (kills === NO_KILLS) return false;
  if (kills.all || kills.rollouts.has(name)) return true;
  return key !== undefined && kills.users.get(name)?.has(userHash(seed, key)) === true;
}

/** Who gets stable whatever the rules say, until it is lifted. */
export interface Kills {
  readonly all: boolean;
  /** Names of rollouts. */
  readonly rollouts: ReadonlySet<string>;
  /** By rollout: users as hashes under its salt, and names of segments. */
  readonly users: ReadonlyMap<string, ReadonlySet<string>>;
  readonly segments: ReadonlyMap<string, readonly string[]>;
}

/** Nobody is switched off; the same object everywhere, so that one comparison tells. */
export const NO_KILLS: Kills = { all: false, rollouts: new Set(), users: new Map(), segments: new Map() };

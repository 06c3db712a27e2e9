import type { FailingUsersRecord } from "../contract/failing-users.ts";
import type { VariantName } from "../contract/rollout.ts";
import type { RunSketch } from "../core/judge/failing-users.ts";
import { EMPTY_SKETCH, type KeySketch, storedSketch, unite } from "../core/judge/key-sketch.ts";

/** What one process says of one rollout. */
export interface Said {
  /** By run and variant. */
  readonly runs: Map<string, RunSketch>;
  history: KeySketch;
}

/** What the next leader must be told. */
export type Left = Pick<FailingUsersRecord, "gone" | "silent">;

/** What a process says of a rollout; nothing yet where it is new. */
export function saidOf(said: Map<string, Said>, rollout: string): Said {
  let held = said.get(rollout);
  if (held === undefined) said.set(rollout, (held = { runs: new Map(), history: EMPTY_SKETCH }));
  return held;
}

/** As it stands in a record, each run once. */
export function storedSaid(said: readonly Said[], capacity: number | undefined): Left["gone"] {
  const runs = unitedRuns(said.flatMap((each) => [...each.runs.values()]));
  return {
    runs: runs.map(({ run, variant, users }) => ({ run, variant, users: storedSketch(unite([users], capacity)) })),
    history: storedSketch(
      unite(
        said.map(({ history }) => history),
        capacity,
      ),
    ),
  };
}

/** Each run and variant once. */
export function unitedRuns(runs: readonly RunSketch[]): RunSketch[] {
  const byId = new Map<string, RunSketch>();
  for (const each of runs) {
    const id = `${each.run} ${each.variant}`;
    const before = byId.get(id);
    byId.set(id, before === undefined ? each : { ...each, users: unite([before.users, each.users]) });
  }
  return [...byId.values()];
}

/** Forgets the oldest run. */
export function dropOldest(runs: Map<string, { readonly run: number; readonly variant: VariantName }>): void {
  const oldest = Math.min(...[...runs.values()].map(({ run }) => run));
  for (const [id, { run }] of runs) if (run === oldest) runs.delete(id);
}

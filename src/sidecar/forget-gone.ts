import type { Clock } from "../io/clock.ts";
import type { Cells } from "./cells.ts";
import type { CurrentRules } from "./current-rules.ts";

/** Long enough for the last outcomes to arrive and to be collected. */
const KEPT_AFTER_MS = 600_000;

/** Lets the series of a rollout go some time after its rules went; to be called now and then. */
export function createForgetGone(rules: Pick<CurrentRules, "compiled">, cells: Cells, { nowMs }: Pick<Clock, "nowMs">): () => void {
  let goneAtMs = new Map<string, number>();
  return () => {
    const { rollouts } = rules.compiled();
    const atMs = nowMs();
    const gone = new Map<string, number>();
    for (const rollout of cells.rollouts()) {
      if (rollouts.has(rollout)) continue;
      const sinceMs = goneAtMs.get(rollout) ?? atMs;
      if (atMs - sinceMs < KEPT_AFTER_MS) gone.set(rollout, sinceMs);
      else cells.forget(rollout);
    }
    goneAtMs = gone;
  };
}

import type { Cells } from "./cells.ts";
import type { CurrentRules } from "./current-rules.ts";
import type { FailingUsers } from "./failing-users.ts";

/** Long enough for the last outcomes to arrive, to be collected, and to be scraped some times. */
const KEPT_AFTER_MS = 600_000;

/** Follows rollouts that have ended: their rules are off, or are no more. */
export interface Rests {
  /** Whether it ended so long ago that nothing more of it is counted for people or shown to them. */
  isOver(rollout: string): boolean;
  /** Lets the cells of those go; to be called now and then. */
  look(counts: Readonly<{ cells: Pick<Cells, "rollouts" | "forget">; failing: Pick<FailingUsers, "of"> }>): void;
}

/** Run of the rules that are off, or that there are none. */
type Rest = number | "gone";

/** Begins with nothing seen. */
export function createRests(rules: Pick<CurrentRules, "compiled">, nowMs: () => number): Rests {
  let seen: ReadonlyMap<string, Readonly<{ rest: Rest; sinceMs: number }>> = new Map();
  const restOf = (rollout: string): Rest | undefined => {
    // An order to switch off, or a canary that was stopped here, is no end.
    const live = rules.compiled().rollouts.get(rollout)?.live;
    if (live === undefined) return "gone";
    return live.off ? live.run : undefined;
  };
  const isOver = (rollout: string): boolean => {
    const found = seen.get(rollout);
    return found !== undefined && found.rest === restOf(rollout) && nowMs() - found.sinceMs >= KEPT_AFTER_MS;
  };
  return {
    isOver,
    look({ cells, failing }) {
      const next = new Map<string, Readonly<{ rest: Rest; sinceMs: number }>>();
      for (const rollout of new Set([...seen.keys(), ...cells.rollouts()])) {
        const rest = restOf(rollout);
        if (rest === undefined) continue;
        const before = seen.get(rollout);
        if (isOver(rollout)) cells.forget(rollout);
        // It must be known as long as there could be anything of it: one whose rules are off goes on to decide.
        if (rest === "gone" && isOver(rollout) && failing.of(rollout).length === 0) continue;
        next.set(rollout, before?.rest === rest ? before : { rest, sinceMs: nowMs() });
      }
      seen = next;
    },
  };
}

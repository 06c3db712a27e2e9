import { type Fleet, NOBODY, type PlanState } from "../contract/live.ts";
import type { Straggler } from "../contract/picture.ts";
import { type StragglerRule, stragglerRule } from "../contract/stragglers.ts";
import { durationText } from "../core/plan/deadlines.ts";
import { awaitedBy, awaitsReceipts, servedAtMs } from "../core/plan/stragglers.ts";
import { unwatchedText } from "../core/plan/way-back.ts";
import { duration } from "./format.ts";

/** Who has not confirmed what a rollout serves now, and since when. */
export function stragglersOf(plan: PlanState, fleet: Fleet | undefined): Straggler[] {
  const known = new Map(Object.entries(fleet?.sidecars ?? {}));
  const one = (isLeftBehind: boolean) => (sidecar: string) => ({
    sidecar,
    sinceMs: servedAtMs(plan),
    silentSinceMs: known.get(sidecar)?.silentSinceMs ?? null,
    isLeftBehind,
  });
  const awaited = awaitsReceipts(plan) ? awaitedBy(plan).filter((sidecar) => sidecar !== NOBODY) : [];
  return [...awaited.map(one(false)), ...(plan.without ?? []).map(one(true))];
}

/** The rule for them, for people. */
function ruleText({ after, action }: StragglerRule): string {
  switch (action) {
    case "wait":
      return "it waits until the deadline of its phase";
    case "goOn":
      return `after ${durationText(after)} it goes on without`;
    case "rollback":
      return `after ${durationText(after)} it rolls back`;
  }
}

interface Standing {
  readonly plan: PlanState;
  readonly stragglers: readonly Straggler[];
  readonly stragglerRule: StragglerRule | null;
}

/** Lines of `status` about stragglers: who, since when, and what is not known for that reason. */
export function stragglerLines({ plan, stragglers, stragglerRule: rule }: Standing, nowMs: number): string[] {
  const who = (list: readonly Straggler[]): string =>
    list
      .map(({ sidecar, silentSinceMs }) =>
        silentSinceMs === null ? sidecar : `${sidecar} (silent for ${duration(nowMs - silentSinceMs)})`,
      )
      .join(", ");
  const awaited = stragglers.filter(({ isLeftBehind }) => !isLeftBehind);
  const left = stragglers.filter(({ isLeftBehind }) => isLeftBehind);
  const leftLines = left.length === 0 ? [] : [`goes on without ${who(left)}, which did not confirm in time`];
  const [first] = awaited;
  if (first === undefined) return leftLines;
  const since = `for ${duration(nowMs - first.sinceMs)}`;
  if (plan.phase === "rolledBack" || plan.phase === "rollingBack")
    return [`not known what ${who(awaited)} serves: no word of the way back ${since}; ${unwatchedText(plan)}`, ...leftLines];
  return [`waits ${since} for ${who(awaited)}; ${ruleText(rule ?? stragglerRule({}))}`, ...leftLines];
}

import { inOrder } from "../../contract/groups.ts";
import type { PlanState } from "../../contract/live.ts";
import { goToFull, type In, nextRun, type Scene, serve, type Taken } from "./moves.ts";

type Place = Pick<In<"group">, "groups" | "group">;

const FULL_BP = 10_000;

/**
 * Groups that are on before everybody is: where a whole group gets the new version, the last one has nobody left to be compared with, and
 * comes with the promotion. So do sidecars without the label.
 */
const stepsOf = ({ groups }: Pick<Place, "groups">, { rolling: { share } }: Scene): number =>
  share === FULL_BP ? Math.max(1, groups.length - 1) : groups.length;

/** About how many users get the new version while this group is the newest, in basis points: groups count as equally large. */
export function exposedIn({ groups, group }: Place, scene: Scene): number {
  if (group >= stepsOf({ groups }, scene)) return FULL_BP;
  return Math.round((scene.rolling.share * (group + 1)) / groups.length);
}

/** Groups that the plan orders and of which nobody is known, in the words of who is missing. */
export const lackingIn = (groups: readonly string[], { rolling: { by, order = [] } }: Pick<Scene, "rolling">): string[] =>
  order.filter((name) => !groups.includes(name)).map((name) => `a sidecar with ${by}=${name}`);

/** Groups that come while others take their turns: in their place where the plan orders them and it is not over, else last. */
export function withMore(state: In<"group">, there: readonly string[], { rolling: { order = [] } }: Scene): In<"group"> {
  const { groups, group } = state;
  const more = there.filter((name) => !groups.includes(name));
  if (more.length === 0) return state;
  const open = [...groups.slice(group + 1), ...more];
  return { ...state, groups: [...groups.slice(0, group + 1), ...inOrder(open, order)] };
}

/** This group too. */
export function goToGroup(state: PlanState, place: Place, reason: string, { rolling, nowMs }: Scene): Taken {
  const next: PlanState = { phase: "group", ...nextRun(state, nowMs), ...place, begunAtMs: null };
  const audit = { action: "group", reason: `${placeText(place, rolling.by)}: ${reason}` };
  return serve(next, { shareBp: rolling.share, off: false, advances: true }, audit);
}

/** On to the next group, or past the last. */
export function goToNextGroup(state: PlanState, { groups, group }: Place, reason: string, scene: Scene): Taken {
  const next = group + 1;
  return next >= stepsOf({ groups }, scene) ? goToFull(state, reason, scene) : goToGroup(state, { groups, group: next }, reason, scene);
}

/** The newest group goes back to stable at once, and evidence begins anew with those before it, for a person to decide. */
export function takeBack(state: In<"group">, reason: string, { rolling, nowMs }: Scene): Taken {
  const { groups, group } = state;
  const next = nextRun(state, nowMs);
  const why = `${placeText(state, rolling.by)} went back to stable: ${reason}`;
  const paused: PlanState = {
    phase: "paused",
    ...next,
    firstRun: next.run,
    stage: 0,
    from: "group",
    groups,
    group: group - 1,
    reason: why,
  };
  return serve(paused, { shareBp: rolling.share, off: false }, { action: "paused", reason: why });
}

const placeText = ({ groups, group }: Place, by: string): string => `${by} ${groups[group]}, group ${group + 1} of ${groups.length}`;

import type { PlanState } from "../../contract/live.ts";
import { goToCanary } from "./begin.ts";
import { goToNextGroup } from "./groups.ts";
import { goBack, goTo, goToFull, type In, pauseAt, placeOf, reasonOr, refuse, type Scene } from "./moves.ts";
import type { PlanStep, VerbEvent } from "./types.ts";

/** What an operator may do while a share below 100 % is served; `stage` is the step that the rollout is in. */
export function onVerb(
  state: In<"stage" | "ramp" | "holdback" | "preview" | "shadow" | "group">,
  stage: number,
  event: VerbEvent,
  scene: Scene,
): PlanStep {
  switch (event.type) {
    case "promote":
      return onward(state, { ...placeOf(state), stage }, event, scene);
    case "pause":
      return pauseAt(state, stage, reasonOr(event.reason, "paused by the operator"), scene);
    case "abort":
      return goBack(state, reasonOr(event.reason, "aborted"), scene);
    case "resume":
      return refuse(state, scene, "nothing is paused; promote would move it on");
    case "handover":
      return refuse(state, scene, "hand-over follows promotion; wait for that, or promote --full");
  }
}

/** Where a rollout stands before its next step. */
type Place = Readonly<{ stage: number } & Pick<In<"paused">, "from" | "groups" | "group">>;

/** On to the next step, or past all that are left. */
export function onward(
  state: PlanState,
  { stage, from, groups, group }: Place,
  { full, reason }: Extract<VerbEvent, { type: "promote" }>,
  scene: Scene,
): PlanStep {
  const because = reason === undefined || reason.trim() === "" ? "" : `: ${reason}`;
  const why = `promoted by the operator${because}`;
  if (full) return goToFull(state, `promoted by the operator, past the stages left${because}`, scene);
  if (from === "shadow") return goToCanary(state, why, scene);
  if (groups !== undefined && group !== undefined) return goToNextGroup(state, { groups, group }, why, scene);
  return goTo(state, stage + 1, why, scene);
}

import type { PlanState } from "../../contract/live.ts";
import { goBack, goTo, goToFull, type In, pauseAt, reasonOr, refuse, type Scene } from "./moves.ts";
import type { PlanStep, VerbEvent } from "./types.ts";

/** What an operator may do while a share below 100 % is served; `stage` is the step that the rollout is in. */
export function onVerb(state: In<"stage" | "ramp" | "holdback">, stage: number, event: VerbEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "promote":
      return onward(state, stage, event, scene);
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

/** On to the next step, or past all that are left. */
export const onward = (
  state: PlanState,
  stage: number,
  { full, reason }: Extract<VerbEvent, { type: "promote" }>,
  scene: Scene,
): PlanStep => {
  const why = reason === undefined || reason.trim() === "" ? "" : `: ${reason}`;
  return full
    ? goToFull(state, `promoted by the operator, past the stages left${why}`, scene)
    : goTo(state, stage + 1, `promoted by the operator${why}`, scene);
};

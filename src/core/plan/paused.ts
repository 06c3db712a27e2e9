import { durationText } from "./deadlines.ts";
import { goBack, type In, isOver, move, onHarm, promotionOf, reasonOr, refuse, type Scene, stay, winnerIn } from "./moves.ts";
import type { PlanEvent, PlanStep } from "./types.ts";
import { onward } from "./verbs.ts";

/** The share stays as it is until a person decides; the canary is still judged. */
export function inPaused(state: In<"paused">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick": {
      const limitMs = scene.deadlines.pausedMs;
      if (!isOver(scene, state.sinceMs, limitMs)) return stay(state);
      return goBack(state, `deadline: paused for ${durationText(limitMs)} without a decision (${state.reason})`, scene);
    }
    case "receipts":
      return stay(state);
    case "verdict":
      return onHarm(state, event, scene);
    case "promote": {
      if (state.stage >= promotionOf(scene)) return resumed(state, scene);
      return onward(state, state, event, scene);
    }
    case "resume":
      return resumed(state, scene);
    case "abort":
      return goBack(state, reasonOr(event.reason, "aborted"), scene);
    case "pause":
      return refuse(state, scene, `it was paused before (${state.reason}); resume, promote or abort`);
    case "handover":
      return refuse(state, scene, "hand-over follows promotion; resume, or promote --full");
  }
}

/** The same share under the same run, so no new one. Minimum times start anew with the next look at the receipts. */
function resumed({ run, firstRun, stage, shareBp, from, groups, group, winner }: In<"paused">, scene: Scene): PlanStep {
  const { stages, ramp, nowMs } = scene;
  const same = { run, firstRun, sinceMs: nowMs };
  if (from === "preview" || from === "shadow") return move({ phase: from, ...same }, "resumed", `the ${from} goes on`);
  if (groups !== undefined && group !== undefined)
    return move({ phase: "group", ...same, groups, group, begunAtMs: null }, "resumed", `group ${groups[group]} goes on`);
  if (stage >= promotionOf(scene)) return move({ phase: "promoting", ...same, ...winnerIn({ winner }) }, "resumed", "promotion goes on");
  if (ramp === undefined)
    return move({ phase: "stage", ...same, stage, begunAtMs: null }, "resumed", `stage ${stage + 1} of ${stages.length} goes on`);
  if (shareBp === undefined) return move({ phase: "holdback", ...same, begunAtMs: null }, "resumed", "the holdback goes on");
  return move({ phase: "ramp", ...same, shareBp, changedAtMs: nowMs, begunAtMs: null }, "resumed", "the ramp goes on");
}

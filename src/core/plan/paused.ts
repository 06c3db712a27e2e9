import type { PlanState } from "../../contract/live.ts";
import { durationText } from "./deadlines.ts";
import { becauseOf, goBack, type In, isOver, move, promotionOf, reasonOr, refuse, type Scene, stay } from "./moves.ts";
import type { PlanEvent, PlanStep, VerbEvent } from "./types.ts";
import { goHome, noRetry, onward } from "./verbs.ts";

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
      return event.verdict === "rollback" ? goBack(state, reasonOr(event.reason, "verdict"), scene) : stay(state);
    case "promote": {
      if (state.stage >= promotionOf(scene)) return resumed(state, event, scene);
      return onward(state, state, event, scene);
    }
    case "resume":
      return resumed(state, event, scene);
    case "abort":
    case "undo":
      return goHome(state, event, scene);
    case "retry":
      return noRetry(state, scene);
    case "pause":
      return refuse(state, scene, `it was paused before (${state.reason}); resume, promote or abort`);
    case "handover":
      return refuse(state, scene, "hand-over follows promotion; resume, or promote --full");
  }
}

/** The same share under the same run, so no new one. Minimum times start anew with the next look at the receipts. */
function resumed(state: In<"paused">, event: VerbEvent, scene: Scene): PlanStep {
  const { run, firstRun, stage, shareBp, from, groups, group } = state;
  const { stages, ramp, nowMs } = scene;
  const same = { run, firstRun, sinceMs: nowMs };
  const on = (next: PlanState, what: string): PlanStep => move(next, "resumed", becauseOf(`${what} goes on`, event));
  if (from === "preview" || from === "shadow") return on({ phase: from, ...same }, `the ${from}`);
  if (groups !== undefined && group !== undefined)
    return on({ phase: "group", ...same, groups, group, begunAtMs: null }, `group ${groups[group]}`);
  if (stage >= promotionOf(scene)) return on({ phase: "promoting", ...same }, "promotion");
  if (ramp === undefined) return on({ phase: "stage", ...same, stage, begunAtMs: null }, `stage ${stage + 1} of ${stages.length}`);
  if (shareBp === undefined) return on({ phase: "holdback", ...same, begunAtMs: null }, "the holdback");
  return on({ phase: "ramp", ...same, shareBp, changedAtMs: nowMs, begunAtMs: null }, "the ramp");
}

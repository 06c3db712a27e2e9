import { begin, switchOn } from "./begin.ts";
import { durationText } from "./deadlines.ts";
import { exposedAt, goBack, goTo, goToFull, type In, isOver, move, onHarm, pauseAt, reasonOr, refuse, type Scene, stay } from "./moves.ts";
import type { PlanEvent, PlanStep } from "./types.ts";
import { onVerb } from "./verbs.ts";

type VerdictEvent = Extract<PlanEvent, { type: "verdict" }>;

/** Nothing is shared out yet: the rules go to every known sidecar first. Targets count from here on, so a verdict may roll back. */
export function inPending(state: In<"pending">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick": {
      const limitMs = scene.deadlines.pendingMs;
      if (!isOver(scene, state.sinceMs, limitMs)) return stay(state);
      const { missing = [] } = state;
      const who = missing.length === 0 ? "" : `, not ${missing.join(", ")}`;
      return goBack(state, `deadline: not every known sidecar confirmed the rules within ${durationText(limitMs)}${who}`, scene);
    }
    case "receipts":
      if (event.missing.length > 0) return stay(state);
      return state.atOnce === true ? goBackTo(state, scene) : begin(state, event, scene);
    case "verdict":
      return onHarm(state, event, scene);
    case "abort":
      return goBack(state, reasonOr(event.reason, "aborted"), scene);
    case "promote":
    case "pause":
      return refuse(state, scene, "no share is served before every known sidecar has confirmed; wait for that, or abort");
    case "resume":
      return refuse(state, scene, "nothing is paused; it goes on by itself when every known sidecar has confirmed");
    case "handover":
      return refuse(state, scene, "hand-over follows promotion; wait for that, or abort");
  }
}

/** A way back, so nothing holds it. A toggle is on at once by its own share. */
const goBackTo = (state: In<"pending">, scene: Scene): PlanStep =>
  scene.first === "on"
    ? switchOn(state, scene, false)
    : goToFull(state, "every known sidecar confirmed the rules; everyone goes back to this version", scene, { isAdvance: false });

/** A share below 100 % is served, and must earn the next one. */
export function inStage(state: In<"stage">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick": {
      const { stageMs } = scene.deadlines;
      if (!isOver(scene, state.sinceMs, (scene.stages[state.stage]?.minTime ?? 0) + stageMs)) return stay(state);
      return pauseAt(state, state.stage, `deadline: the stage did not pass within ${durationText(stageMs)} beyond its minimum time`, scene);
    }
    case "receipts": {
      if (event.missing.length > 0 || state.begunAtMs !== null) return stay(state);
      return move({ ...state, begunAtMs: scene.nowMs }, "begun", `every known sidecar obeys run ${state.run}`);
    }
    case "verdict":
      return onVerdict(state, event, scene);
    case "promote":
    case "pause":
    case "resume":
    case "abort":
    case "handover":
      return onVerb(state, state.stage, event, scene);
  }
}

/** The caller guarantees that the verdict is of the run in force; an older one would carry a sample that this stage never saw. */
function onVerdict(state: In<"stage">, { verdict, safeShareBp, runSample, reason }: VerdictEvent, scene: Scene): PlanStep {
  if (verdict === "rollback") return goBack(state, reasonOr(reason, "verdict"), scene);
  const stage = scene.stages[state.stage];
  if (verdict !== "advance" || state.begunAtMs === null || stage === undefined) return stay(state);
  const isEarned =
    isOver(scene, state.begunAtMs, stage.minTime) && runSample >= stage.minSample && safeShareBp >= exposedAt(scene, state.stage + 1);
  return isEarned ? goTo(state, state.stage + 1, reasonOr(reason, "verdict"), scene) : stay(state);
}

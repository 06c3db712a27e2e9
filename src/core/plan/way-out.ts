import type { PlanState } from "../../contract/live.ts";
import { durationText } from "./deadlines.ts";
import {
  exposedAt,
  goBack,
  goTo,
  goToShare,
  type In,
  isOver,
  move,
  pauseAt,
  promotionOf,
  reasonOr,
  refuse,
  type Scene,
  stay,
} from "./moves.ts";
import { firstShareBp } from "./ramp.ts";
import type { PlanEvent, PlanStep } from "./types.ts";
import { onVerb, onward } from "./verbs.ts";

type VerdictEvent = Extract<PlanEvent, { type: "verdict" }>;

/** Nothing is shared out yet: the rules go to every known sidecar first. Targets count from here on, so a verdict may roll back. */
export function inPending(state: In<"pending">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick": {
      const limitMs = scene.deadlines.pendingMs;
      if (!isOver(scene, state.sinceMs, limitMs)) return stay(state);
      return goBack(state, `deadline: not every known sidecar confirmed the rules within ${durationText(limitMs)}`, scene);
    }
    case "receipts":
      return event.missing.length === 0 ? begin(state, event.requestsPerSecond, scene) : stay(state);
    case "verdict":
      return event.verdict === "rollback" ? goBack(state, reasonOr(event.reason, "verdict"), scene) : stay(state);
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

/** The first users: of the first stage, or of a ramp. */
function begin(state: PlanState, requestsPerSecond: number | undefined, scene: Scene): PlanStep {
  const reason = "every known sidecar confirmed the rules";
  if (scene.ramp === undefined) return goTo(state, 0, reason, scene);
  return goToShare(state, { shareBp: firstShareBp(scene.ramp, requestsPerSecond), sinceMs: scene.nowMs }, reason, scene);
}

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
      if (state.stage >= promotionOf(scene)) return resumed(state, scene);
      return onward(state, state.stage, event, scene);
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
function resumed({ run, firstRun, stage, shareBp }: In<"paused">, scene: Scene): PlanStep {
  const { stages, ramp, nowMs } = scene;
  const same = { run, firstRun, sinceMs: nowMs };
  if (stage >= promotionOf(scene)) return move({ phase: "promoting", ...same }, "resumed", "promotion goes on");
  if (ramp === undefined)
    return move({ phase: "stage", ...same, stage, begunAtMs: null }, "resumed", `stage ${stage + 1} of ${stages.length} goes on`);
  if (shareBp === undefined) return move({ phase: "holdback", ...same, begunAtMs: null }, "resumed", "the holdback goes on");
  return move({ phase: "ramp", ...same, shareBp, changedAtMs: nowMs, begunAtMs: null }, "resumed", "the ramp goes on");
}

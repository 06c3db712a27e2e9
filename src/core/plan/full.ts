import { durationText } from "./deadlines.ts";
import {
  goBack,
  type In,
  isOver,
  move,
  onHarm,
  pauseAt,
  promotionOf,
  reasonOr,
  refuse,
  rests,
  type Scene,
  stay,
  winnerIn,
} from "./moves.ts";
import type { PlanEvent, PlanStep } from "./types.ts";

/** 100 % is served, but not every known sidecar has confirmed it. */
export function inPromoting(state: In<"promoting">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick": {
      const limitMs = scene.deadlines.promotingMs;
      if (!isOver(scene, state.sinceMs, limitMs)) return stay(state);
      return pauseAt(state, promotionOf(scene), `deadline: not every known sidecar confirmed 100% within ${durationText(limitMs)}`, scene);
    }
    case "receipts": {
      if (event.missing.length > 0) return stay(state);
      const { run, firstRun } = state;
      const reason = "every known sidecar serves 100%; stable must stay up until hand-over";
      return move({ phase: "promoted", run, firstRun, sinceMs: scene.nowMs, ...winnerIn(state), overdue: false }, "promoted", reason);
    }
    case "verdict":
      return onHarm(state, event, scene);
    case "abort":
      return goBack(state, reasonOr(event.reason, "aborted"), scene);
    case "pause":
      return pauseAt(state, promotionOf(scene), reasonOr(event.reason, "paused by the operator"), scene);
    case "promote":
      return refuse(state, scene, "100% is set and waits for the last sidecars; wait for that, or abort");
    case "resume":
      return refuse(state, scene, "nothing is paused; it goes on by itself when every known sidecar has confirmed");
    case "handover":
      return refuse(state, scene, "not every known sidecar serves 100% yet; wait for that, then hand over");
  }
}

/** 100 % is served everywhere; what is left is to make stable itself the new version. */
export function inPromoted(state: In<"promoted">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick": {
      const { keepWarmMs, deadlines } = scene;
      const limitMs = keepWarmMs ?? deadlines.promotedMs;
      if (state.overdue || !isOver(scene, state.sinceMs, limitMs)) return stay(state);
      const why = keepWarmMs === undefined ? "" : ", as long as stable was to be kept warm";
      return move({ ...state, overdue: true }, "overdue", `deadline: promoted for ${durationText(limitMs)} without hand-over${why}`);
    }
    case "receipts":
      return stay(state);
    case "verdict":
      return onHarm(state, event, scene);
    case "abort":
      return goBack(state, reasonOr(event.reason, "aborted"), scene);
    case "handover":
      return rests(state, "stable runs the new version; the rule rests", scene);
    case "promote":
      return refuse(state, scene, "100% is served already; hand over when stable runs the new version, or abort");
    case "pause":
    case "resume":
      return refuse(state, scene, "no stage is left to wait in; hand over when stable runs the new version, or abort");
  }
}

import { durationText } from "./deadlines.ts";
import { goBack, type In, isOver, move, onHarm, reasonOr, refuse, rests, type Scene, stay } from "./moves.ts";
import type { PlanEvent, PlanStep } from "./types.ts";

/** A toggle is on, without end; for too long it is called overdue. */
export function inOn(state: In<"on">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick": {
      const limitMs = scene.toggle.staleAfter;
      if (state.overdue || !isOver(scene, state.sinceMs, limitMs)) return stay(state);
      return move(
        { ...state, overdue: true },
        "overdue",
        `on for ${durationText(limitMs)}; take it out of the code and hand over, or abort`,
      );
    }
    case "receipts": {
      if (event.missing.length > 0 || state.begunAtMs !== null) return stay(state);
      return move({ ...state, begunAtMs: scene.nowMs }, "begun", `every known sidecar obeys run ${state.run}`);
    }
    case "verdict":
      return onHarm(state, event, scene);
    case "abort":
      return goBack(state, reasonOr(event.reason, "switched off"), scene);
    case "handover":
      return rests(state, "the toggle is at its end; the rule rests, and nobody gets its tags", scene);
    case "promote":
      return refuse(state, scene, "a toggle stays at the share of its file; apply another share after abort");
    case "pause":
    case "resume":
      return refuse(state, scene, "nothing goes on by itself, so nothing is paused; abort switches it off");
  }
}

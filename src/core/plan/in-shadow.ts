import { goToCanary } from "./begin.ts";
import { durationText } from "./deadlines.ts";
import { exposedAt, goBack, type In, isOver, pauseAt, reasonOr, type Scene, stay } from "./moves.ts";
import type { PlanEvent, PlanStep } from "./types.ts";
import { onVerb } from "./verbs.ts";

/** Nobody gets the new version: its shadow gets copies, and is judged by Envoy's statistics of both clusters. */
export function inShadow(state: In<"shadow">, event: PlanEvent, scene: Scene): PlanStep {
  const { shadow, deadlines } = scene;
  switch (event.type) {
    case "receipts":
      return stay(state);
    case "tick": {
      if (!isOver(scene, state.sinceMs, shadow.minTime + deadlines.stageMs)) return stay(state);
      const why = event.last?.reason ?? "no verdict";
      return pauseAt(
        state,
        0,
        `deadline: the shadow did not pass within ${durationText(deadlines.stageMs)} beyond its minimum time: ${why}`,
        scene,
      );
    }
    case "verdict": {
      const { verdict, runSample, safeShareBp, requestsPerSecond } = event;
      const reason = reasonOr(event.reason, "verdict");
      if (verdict === "rollback") return goBack(state, `the shadow: ${reason}`, scene);
      // A ramp begins with what its budget allows.
      const isSafe = verdict === "advance" && (scene.ramp !== undefined || safeShareBp >= exposedAt(scene, 0));
      const isEarned = isSafe && runSample >= shadow.minSample && isOver(scene, state.sinceMs, shadow.minTime);
      return isEarned ? goToCanary(state, `the shadow is no worse: ${reason}`, scene, requestsPerSecond) : stay(state);
    }
    case "promote":
    case "pause":
    case "resume":
    case "abort":
    case "handover":
      return onVerb(state, 0, event, scene);
  }
}

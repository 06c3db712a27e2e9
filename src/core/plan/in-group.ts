import { durationText } from "./deadlines.ts";
import { exposedIn, goToNextGroup, takeBack, withMore } from "./groups.ts";
import { goBack, type In, isOver, move, pauseAt, reasonOr, type Scene, stay } from "./moves.ts";
import type { PlanEvent, PlanStep } from "./types.ts";
import { onVerb } from "./verbs.ts";

/** Some groups of sidecars have the new version, and the newest must earn the next. */
export function inGroup(state: In<"group">, event: PlanEvent, scene: Scene): PlanStep {
  const { rolling, deadlines } = scene;
  switch (event.type) {
    case "tick": {
      if (!isOver(scene, state.sinceMs, rolling.minTime + deadlines.stageMs)) return stay(state);
      return pauseAt(state, 0, `deadline: the group did not pass within ${durationText(deadlines.stageMs)} beyond its minimum time`, scene);
    }
    case "receipts": {
      const known = withMore(state, event.groups ?? [], scene);
      if (event.missing.length > 0 || state.begunAtMs !== null) return stay(known);
      return move({ ...known, begunAtMs: scene.nowMs }, "begun", `every known sidecar obeys run ${state.run}`);
    }
    case "verdict": {
      const { verdict, runSample, safeShareBp } = event;
      const reason = reasonOr(event.reason, "verdict");
      if (verdict === "rollback")
        return state.group > 0 && rolling.onUnhealthy === "pause" ? takeBack(state, reason, scene) : goBack(state, reason, scene);
      if (verdict !== "advance" || state.begunAtMs === null) return stay(state);
      const next = { groups: state.groups, group: state.group + 1 };
      const isEarned =
        isOver(scene, state.begunAtMs, rolling.minTime) && runSample >= rolling.minSample && safeShareBp >= exposedIn(next, scene);
      return isEarned ? goToNextGroup(state, state, reason, scene) : stay(state);
    }
    case "promote":
    case "pause":
    case "resume":
    case "abort":
    case "handover":
      return onVerb(state, 0, event, scene);
  }
}

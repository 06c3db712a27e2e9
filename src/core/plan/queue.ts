import { type In, move, reasonOr, refuse, type Scene, stay, type Taken } from "./moves.ts";
import { startPlan } from "./start.ts";
import type { PlanEvent, PlanStep } from "./types.ts";

/** An attempt that waits for its turn: nothing of it goes out, and `run` will be its first. */
export const queuePlan = (nowMs: number, run: number, reason: string, atOnce = false): Taken =>
  move({ phase: "queued", run: run - 1, firstRun: run, sinceMs: nowMs, reason, ...(atOnce && { atOnce }) }, "queued", reason);

/** It begins by itself when it is its turn, but in no freeze: a way back is held by none. Others end by their deadlines, so that it has none. */
export function inQueued(state: In<"queued">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick": {
      const hold = scene.holds.find(({ kind }) => kind === "order" || (kind === "freeze" && state.atOnce !== true));
      if (hold === undefined) return startPlan(scene.nowMs, state.firstRun, state.atOnce);
      return stay({ ...state, reason: hold.reason });
    }
    case "receipts":
    case "verdict":
      return stay(state);
    case "abort": {
      const { run, firstRun } = state;
      const reason = reasonOr(event.reason, "aborted");
      return move(
        { phase: "rolledBack", run, firstRun, sinceMs: scene.nowMs, reason, stragglers: [] },
        "rolledBack",
        `taken out of the queue (${reason})`,
      );
    }
    case "promote":
    case "pause":
    case "resume":
    case "handover":
      return refuse(state, scene, `${state.reason}; wait for that, or abort`);
  }
}

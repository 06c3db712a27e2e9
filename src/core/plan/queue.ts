import type { PlanState } from "../../contract/live.ts";
import { type In, move, reasonOr, refuse, type Scene, serve, stay, type Taken } from "./moves.ts";
import type { PlanEvent, PlanStep } from "./types.ts";

/** Begins an attempt: the rules go out with a share of 0, and `run` is the first of this attempt. */
export function startPlan(nowMs: number, run: number): Taken {
  const state: PlanState = { phase: "pending", run, firstRun: run, sinceMs: nowMs };
  return serve(state, { shareBp: 0, off: false }, { action: "pending", reason: "waiting for every known sidecar to confirm the rules" });
}

/** An attempt that waits for its turn: nothing of it goes out, and `run` will be its first. */
export const queuePlan = (nowMs: number, run: number, reason: string): Taken =>
  move({ phase: "queued", run: run - 1, firstRun: run, sinceMs: nowMs, reason }, "queued", reason);

/** It begins by itself when it is its turn, but in no freeze. Others end by their deadlines, so that it has none. */
export function inQueued(state: In<"queued">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick": {
      const hold = scene.holds.find(({ kind }) => kind === "order" || kind === "freeze");
      if (hold === undefined) return startPlan(scene.nowMs, state.firstRun);
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
      return refuse(state, scene, `${state.reason}; end what is before it, or abort`);
  }
}

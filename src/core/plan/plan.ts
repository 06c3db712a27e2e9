import type { PlanState } from "../../contract/live.ts";
import { rampOf } from "../../contract/ramp.ts";
import type { Rollout } from "../../contract/rollout.ts";
import { stagesOf } from "../../contract/stages.ts";
import { stragglerRule } from "../../contract/stragglers.ts";
import { DEADLINES, type Deadlines, durationText } from "./deadlines.ts";
import { inPromoted, inPromoting } from "./full.ts";
import { inHoldback, inRamp } from "./in-ramp.ts";
import { goBack, type Scene, serve, type Taken } from "./moves.ts";
import { NO_DATA_MS, silentSinceMs } from "./no-data.ts";
import { knowingWhatIsHeld, receiptsByRule, withoutThem } from "./stragglers.ts";
import type { PlanEvent, PlanStep } from "./types.ts";
import { inHandedOver, inRolledBack, inRollingBack } from "./way-back.ts";
import { inPaused, inPending, inStage } from "./way-out.ts";

/** Begins an attempt: the rules go out with a share of 0, and `run` is the first of this attempt. */
export function startPlan(nowMs: number, run: number): Taken {
  const state: PlanState = { phase: "pending", run, firstRun: run, sinceMs: nowMs };
  return serve(state, { shareBp: 0, off: false }, { action: "pending", reason: "waiting for every known sidecar to confirm the rules" });
}

/** The plan's machine for one rollout. It reads no clock: `nowMs` comes in, effects go out, and the same input gives the same step. */
export type Plan = (rollout: Rollout, state: PlanState, event: PlanEvent, nowMs: number) => PlanStep;

/**
 * The machine with other deadlines than those of production, in milliseconds.
 * A verdict must be of the run in force: the machine cannot tell an older one from a fresh one.
 */
export const planWith =
  (deadlines: Partial<Deadlines>): Plan =>
  (rollout, state, event, nowMs) => {
    const scene = sceneOf(rollout, { ...DEADLINES, ...deadlines }, nowMs);
    const isSilent = event.type === "tick" && silentSinceMs(state, event.last?.canaryAtMs, nowMs) !== undefined;
    if (isSilent && rollout.checks.onNoData === "rollback")
      return goBack(state, `no outcome of the canary for ${durationText(NO_DATA_MS)}, and onNoData says rollback`, scene);
    const taken =
      event.type === "receipts"
        ? receiptsByRule(state, event, scene, (told) => step(state, told, scene))
        : withoutThem(state, step(state, event, scene));
    return knowingWhatIsHeld(state, taken, scene);
  };

const sceneOf = (rollout: Rollout, deadlines: Deadlines, nowMs: number): Scene => ({
  rollout: rollout.name,
  stages: stagesOf(rollout.strategy),
  ramp: rampOf(rollout.strategy),
  deadlines,
  stragglers: stragglerRule(rollout),
  holdsUnwatched: rollout.onUnwatched === "hold",
  nowMs,
});

/** The machine with the deadlines of production. */
export const plan: Plan = planWith({});

function step(state: PlanState, event: PlanEvent, scene: Scene): PlanStep {
  switch (state.phase) {
    case "pending":
      return inPending(state, event, scene);
    case "stage":
      return inStage(state, event, scene);
    case "ramp":
      return inRamp(state, event, scene);
    case "holdback":
      return inHoldback(state, event, scene);
    case "paused":
      return inPaused(state, event, scene);
    case "promoting":
      return inPromoting(state, event, scene);
    case "promoted":
      return inPromoted(state, event, scene);
    case "rollingBack":
      return inRollingBack(state, event, scene);
    case "rolledBack":
      return inRolledBack(state, event, scene);
    case "handedOver":
      return inHandedOver(state, event, scene);
  }
}

import { courseOf } from "../../contract/course.ts";
import { grownVariant } from "../../contract/lanes.ts";
import type { PlanState } from "../../contract/live.ts";
import type { Rollout } from "../../contract/rollout.ts";
import { stragglerRule } from "../../contract/stragglers.ts";
import { DEADLINES, type Deadlines, durationText } from "./deadlines.ts";
import { inPromoted, inPromoting } from "./full.ts";
import { mayAdvance, timeHeld } from "./holds.ts";
import { inGroup } from "./in-group.ts";
import { inOn } from "./in-on.ts";
import { inPreview } from "./in-preview.ts";
import { inHoldback, inRamp } from "./in-ramp.ts";
import { inShadow } from "./in-shadow.ts";
import { inDecision, inTrial } from "./in-trial.ts";
import { goBack, type Scene } from "./moves.ts";
import { NO_DATA_MS, silentSinceMs } from "./no-data.ts";
import { inPaused } from "./paused.ts";
import { inQueued } from "./queue.ts";
import { knowingWhatIsHeld, receiptsByRule, withoutThem } from "./stragglers.ts";
import type { Hold, PlanEvent, PlanStep } from "./types.ts";
import { inHandedOver, inRolledBack, inRollingBack } from "./way-back.ts";
import { inPending, inStage } from "./way-out.ts";

/** When something happens, and what else stands then. */
export interface Moment {
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** What keeps the rollout from advancing; nothing when absent. */
  readonly holds?: readonly Hold[];
}

/** The plan's machine for one rollout. It reads no clock: the moment comes in, effects go out, and the same input gives the same step. */
export type Plan = (rollout: Rollout, state: PlanState, event: PlanEvent, moment: Moment) => PlanStep;

/**
 * The machine with other deadlines than those of production, in milliseconds.
 * A verdict must be of the run in force: the machine cannot tell an older one from a fresh one.
 */
export const planWith =
  (deadlines: Partial<Deadlines>): Plan =>
  (rollout, state, event, { nowMs, holds = [] }) => {
    const scene = sceneOf(rollout, { ...DEADLINES, ...deadlines }, { nowMs, holds });
    const isSilent = event.type === "tick" && silentSinceMs(state, event.last?.canaryAtMs, nowMs) !== undefined;
    if (isSilent && rollout.checks.onNoData === "rollback")
      return goBack(state, `no outcome of the canary for ${durationText(NO_DATA_MS)}, and onNoData says rollback`, scene);
    const held = event.type === "tick" ? timeHeld(state, scene) : undefined;
    if (held !== undefined) return withoutThem(state, held);
    const taken =
      event.type === "receipts"
        ? receiptsByRule(state, event, scene, (told) => stepIn(state, told, scene))
        : withoutThem(state, stepIn(state, event, scene));
    return mayAdvance(state, event, { step: knowingWhatIsHeld(state, taken, scene), scene });
  };

function sceneOf(rollout: Rollout, deadlines: Deadlines, { nowMs, holds }: Required<Moment>): Scene {
  const { name, variants, strategy, handover, onUnwatched } = rollout;
  const promoted = handover?.within === undefined ? {} : { promotedMs: handover.within };
  const known = { rollout: name, grown: grownVariant(variants), deadlines: { ...deadlines, ...promoted } };
  return { ...courseOf(strategy), ...known, stragglers: stragglerRule(rollout), holdsUnwatched: onUnwatched === "hold", nowMs, holds };
}

/** The machine with the deadlines of production. */
export const plan: Plan = planWith({});

function stepIn(state: PlanState, event: PlanEvent, scene: Scene): PlanStep {
  switch (state.phase) {
    case "queued":
      return inQueued(state, event, scene);
    case "pending":
      return inPending(state, event, scene);
    case "stage":
      return inStage(state, event, scene);
    case "ramp":
      return inRamp(state, event, scene);
    case "holdback":
      return inHoldback(state, event, scene);
    case "preview":
      return inPreview(state, event, scene);
    case "shadow":
      return inShadow(state, event, scene);
    case "trial":
      return inTrial(state, event, scene);
    case "decision":
      return inDecision(state, event, scene);
    case "on":
      return inOn(state, event, scene);
    case "group":
      return inGroup(state, event, scene);
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

import type { PlainState } from "../../contract/live.ts";
import { inPromoted, inPromoting } from "./full.ts";
import { inGroup } from "./in-group.ts";
import { inOn } from "./in-on.ts";
import { inPreview } from "./in-preview.ts";
import { inHoldback, inRamp } from "./in-ramp.ts";
import { inShadow } from "./in-shadow.ts";
import { inDecision, inTrial } from "./in-trial.ts";
import type { Scene } from "./moves.ts";
import { inPaused } from "./paused.ts";
import { inQueued } from "./queue.ts";
import type { PlanEvent, PlanStep } from "./types.ts";
import { inHandedOver, inRolledBack, inRollingBack } from "./way-back.ts";
import { inPending, inStage } from "./way-out.ts";

/** What each phase makes of an event. */
export function stepIn(state: PlainState, event: PlanEvent, scene: Scene): PlanStep {
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

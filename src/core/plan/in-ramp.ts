import { heldBackBp, RAMP_PRESETS, type Ramp } from "../../contract/ramp.ts";
import { durationText } from "./deadlines.ts";
import {
  goBack,
  goTo,
  goToFull,
  goToShare,
  type In,
  isOver,
  move,
  pauseAt,
  RAMP_STEPS,
  reasonOr,
  returnsIn,
  type Scene,
  stay,
} from "./moves.ts";
import { DOUBT_ODDS, isProven, nextShareBp, RETREAT } from "./ramp.ts";
import type { PlanEvent, PlanStep } from "./types.ts";
import { onVerb } from "./verbs.ts";

type VerdictEvent = Extract<PlanEvent, { type: "verdict" }>;

/** Of a plan that has lost its ramp, which the contract does not let happen. */
const STANDARD: Ramp = { startBp: undefined, ...RAMP_PRESETS.standard };

/** The share grows as far as evidence and clock let it; each share is a run of its own. */
export function inRamp(state: In<"ramp">, event: PlanEvent, scene: Scene): PlanStep {
  const { ramp = STANDARD } = scene;
  switch (event.type) {
    case "tick": {
      if (!isOver(scene, state.sinceMs, ramp.maxTimeMs)) return stay(state);
      const why = state.begunAtMs === null ? `not every known sidecar obeys run ${state.run}` : (event.last?.reason ?? "no verdict");
      return pauseAt(state, RAMP_STEPS.ramp, `not proven safe for everybody within ${durationText(ramp.maxTimeMs)}: ${why}`, scene);
    }
    case "receipts": {
      if (event.missing.length > 0 || state.begunAtMs !== null) return stay(state);
      const { nowMs } = scene;
      // The ramp's time counts from when its first share was served everywhere.
      const begun = state.changedAtMs === state.sinceMs ? { sinceMs: nowMs, changedAtMs: nowMs } : {};
      return move({ ...state, ...begun, begunAtMs: nowMs }, "begun", `every known sidecar obeys run ${state.run}`);
    }
    case "verdict":
      return onVerdict(state, event, { ramp, scene });
    case "promote":
    case "pause":
    case "resume":
    case "abort":
    case "handover":
      return onVerb(state, RAMP_STEPS.ramp, event, scene);
  }
}

/** The caller guarantees that the verdict is of the run in force. A share that is not confirmed everywhere may fall, and not grow. */
function onVerdict(state: In<"ramp">, event: VerdictEvent, { ramp, scene }: { ramp: Ramp; scene: Scene }): PlanStep {
  const { verdict, reason } = event;
  if (verdict === "rollback") return goBack(state, reasonOr(reason, "verdict"), scene);
  const { shareBp, sinceMs, changedAtMs, begunAtMs } = state;
  const moment = { ...event, shareBp, rampMs: scene.nowMs - sinceMs, shareMs: scene.nowMs - changedAtMs };
  const next = nextShareBp(ramp, moment);
  if (next < shareBp) {
    const canTake = isOver(scene, begunAtMs ?? changedAtMs, scene.retreat.every);
    return canTake ? fall(state, { shareBp, sinceMs, ...returnsIn(state) }, event, scene) : stay(state);
  }
  if (begunAtMs === null) return stay(state);
  if (isProven(ramp, moment)) return onProof(state, reasonOr(reason, "verdict"), ramp, scene);
  return next > shareBp
    ? goToShare(state, { shareBp: next, sinceMs, ...returnsIn(state) }, reasonOr(reason, "verdict"), scene)
    : stay(state);
}

/** On to the holdback, unless doubt ended that too often: then a person decides. */
function onProof(state: In<"ramp">, reason: string, { holdback }: Ramp, scene: Scene): PlanStep {
  const { returns = 0 } = state;
  if (returns <= holdback.again) return goTo(state, RAMP_STEPS.holdback, reason, scene);
  const why = `proven safe again, after doubt led back from the holdback ${returns} times`;
  return pauseAt(state, RAMP_STEPS.ramp, `${why}, and its plan lets it begin again ${holdback.again} times`, scene);
}

/** In doubt fewer users have the canary: no more go at once than stable can take. */
function fall(
  state: In<"ramp" | "holdback">,
  { shareBp, ...place }: Pick<In<"ramp">, "shareBp" | "sinceMs" | "returns">,
  event: VerdictEvent,
  scene: Scene,
): PlanStep {
  const lessBp = Math.max(RETREAT.shareBp, shareBp - scene.retreat.step);
  return goToShare(state, { ...place, shareBp: lessBp }, doubtText(event), scene);
}

const doubtText = ({ odds, alpha }: Pick<VerdictEvent, "odds" | "alpha">): string =>
  `odds of harm are ${odds.toFixed(1)} : 1, and ${Math.round(1 / alpha)} : 1 would be a rollback`;

/**
 * Nearly everyone has the canary; the few on stable show a fault that begins late. So few that it takes long to be sure: in doubt a ramp
 * begins again, in which fewer are harmed and more show it.
 */
export function inHoldback(state: In<"holdback">, event: PlanEvent, scene: Scene): PlanStep {
  const { ramp = STANDARD } = scene;
  const { timeMs } = ramp.holdback;
  switch (event.type) {
    case "tick": {
      const { stageMs } = scene.deadlines;
      if (!isOver(scene, state.sinceMs, timeMs + stageMs)) return stay(state);
      return pauseAt(
        state,
        RAMP_STEPS.holdback,
        `deadline: the holdback did not pass within ${durationText(stageMs)} beyond its time`,
        scene,
      );
    }
    case "receipts": {
      if (event.missing.length > 0 || state.begunAtMs !== null) return stay(state);
      return move({ ...state, begunAtMs: scene.nowMs }, "begun", `every known sidecar obeys run ${state.run}`);
    }
    case "verdict": {
      const { verdict, odds, reason } = event;
      if (verdict === "rollback") return goBack(state, reasonOr(reason, "verdict"), scene);
      const { returns = 0 } = state;
      const again = { shareBp: heldBackBp(ramp), sinceMs: scene.nowMs, returns: returns + 1 };
      if (odds >= RETREAT.odds) return fall(state, again, event, scene);
      const isPassed = state.begunAtMs !== null && isOver(scene, state.begunAtMs, timeMs) && verdict === "advance" && odds < DOUBT_ODDS;
      return isPassed ? goToFull(state, reasonOr(reason, "verdict"), scene) : stay(state);
    }
    case "promote":
    case "pause":
    case "resume":
    case "abort":
    case "handover":
      return onVerb(state, RAMP_STEPS.holdback, event, scene);
  }
}

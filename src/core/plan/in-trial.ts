import type { PlanState } from "../../contract/live.ts";
import { durationText } from "./deadlines.ts";
import {
  becauseOf,
  everyonesVariant,
  goBack,
  goToFull,
  type In,
  isOver,
  move,
  onHarm,
  reasonOr,
  refuse,
  type Scene,
  stay,
  type Taken,
} from "./moves.ts";
import type { PlanEvent, PlanStep } from "./types.ts";

type Promote = Extract<PlanEvent, { type: "promote" }>;

/** An A/B test: shares stay as they are for a set time, and only a fault ends it before. */
export function inTrial(state: In<"trial">, event: PlanEvent, scene: Scene): PlanStep {
  const { trial, deadlines, nowMs } = scene;
  switch (event.type) {
    case "tick": {
      // A sidecar that never confirms keeps no test from its end.
      const beganMs = state.begunAtMs ?? state.sinceMs + deadlines.stageMs;
      if (!isOver(scene, beganMs, trial.time)) return stay(state);
      return trial.atEnd === "stable"
        ? goBack(state, `the test is over after ${durationText(trial.time)}, and by its plan everyone goes back to stable`, scene)
        : toDecision(state, `the test is over after ${durationText(trial.time)}`, scene);
    }
    case "receipts": {
      if (event.missing.length > 0 || state.begunAtMs !== null) return stay(state);
      return move({ ...state, begunAtMs: nowMs }, "begun", `every known sidecar obeys run ${state.run}`);
    }
    case "verdict":
      return onHarm(state, event, scene);
    case "abort":
      return goBack(state, reasonOr(event.reason, "aborted"), scene);
    case "promote":
      return event.full
        ? goToFull(state, becauseOf(`promoted by the operator in the midst of the test, ${wonBy(event, scene)}`, event), scene, event)
        : toDecision(state, reasonOr(event.reason, "ended early by the operator"), scene);
    case "pause":
    case "resume":
      return refuse(state, scene, "its shares do not move, so nothing is paused; promote ends the test early, abort takes everyone back");
    case "handover":
      return refuse(state, scene, "hand-over follows promotion; end the test with promote first");
  }
}

const wonBy = ({ variant }: Promote, { grown }: Scene): string => `${variant ?? grown} for everyone`;

/** Why a variant is not for everyone; undefined where it may be, and where none is asked for. */
export function otherVariant(state: PlanState, { variant, full }: Promote, scene: Scene): PlanStep | undefined {
  const { grown, variants } = scene;
  if (variant === undefined) return undefined;
  if (!variants.includes(variant)) return refuse(state, scene, `${variant} is no variant beside stable; name ${variants.join(" or ")}`);
  if (state.phase === "decision" || (state.phase === "trial" && full)) return undefined;
  if (state.phase === "trial")
    return refuse(
      state,
      scene,
      `promote ends it, and then promote --variant ${variant} decides; promote --full --variant ${variant} does both`,
    );
  const everyones = everyonesVariant(state, grown);
  if (variant === everyones) return undefined;
  return refuse(
    state,
    scene,
    `everyone can get ${everyones} alone; only a test (strategy abTest) that waits for a decision leaves the choice`,
  );
}

function toDecision({ run, firstRun }: In<"trial">, reason: string, { nowMs, deadlines }: Scene): Taken {
  const limit = durationText(deadlines.pausedMs);
  return move(
    { phase: "decision", run, firstRun, sinceMs: nowMs },
    "decision",
    `${reason}; shares stay until somebody promotes or aborts, ${limit} at most`,
  );
}

/** The test is over and its report is out; the variants are still judged. */
export function inDecision(state: In<"decision">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick": {
      const limitMs = scene.deadlines.pausedMs;
      if (!isOver(scene, state.sinceMs, limitMs)) return stay(state);
      return goBack(state, `deadline: tested, and nobody decided within ${durationText(limitMs)}`, scene);
    }
    case "receipts":
      return stay(state);
    case "verdict":
      return onHarm(state, event, scene);
    case "abort":
      return goBack(state, reasonOr(event.reason, "aborted"), scene);
    case "promote":
      return goToFull(state, becauseOf(`promoted by the operator after the test, ${wonBy(event, scene)}`, event), scene, event);
    case "pause":
    case "resume":
      return refuse(state, scene, "it waits already; promote or abort");
    case "handover":
      return refuse(state, scene, "hand-over follows promotion; promote first");
  }
}

import type { BlueGreen } from "../../contract/strategy.ts";
import { durationText } from "./deadlines.ts";
import { goBack, goToFull, type In, isOver, pauseAt, reasonOr, type Scene, stay } from "./moves.ts";
import type { PlanEvent, PlanStep } from "./types.ts";
import { onVerb } from "./verbs.ts";

type Order = BlueGreen["preview"]["promote"];
type Told = Extract<PlanEvent, { type: "tick" | "verdict" }>;

const FULL_BP = 10_000;

/** Targets alone lead to the new version. Whoever leads on to 100 % is a person, the plan by its own order, or the evidence. */
export function inPreview(state: In<"preview">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "receipts":
      return stay(state);
    case "tick":
      return onTime(state, event, scene);
    case "verdict": {
      if (event.verdict === "rollback") return goBack(state, reasonOr(event.reason, "verdict"), scene);
      const { promote } = scene.preview;
      return isProven(promote, { state, event, scene }) ? goToFull(state, reasonOr(event.reason, "verdict"), scene) : stay(state);
    }
    case "promote":
    case "pause":
    case "resume":
    case "abort":
    case "undo":
    case "retry":
    case "handover":
      return onVerb(state, 0, event, scene);
  }
}

function isProven(
  order: Order,
  { state, event, scene }: { state: In<"preview">; event: Extract<Told, { type: "verdict" }>; scene: Scene },
): boolean {
  if (typeof order === "string" || !("onVerdict" in order)) return false;
  const { minTime, minSample } = order.onVerdict;
  const { verdict, runSample, safeShareBp } = event;
  return verdict === "advance" && runSample >= minSample && safeShareBp >= FULL_BP && isOver(scene, state.sinceMs, minTime);
}

function onTime(state: In<"preview">, { last }: Extract<Told, { type: "tick" }>, scene: Scene): PlanStep {
  const { preview, deadlines } = scene;
  const { promote } = preview;
  if (promote === "byHand") {
    const limitMs = deadlines.pausedMs;
    if (!isOver(scene, state.sinceMs, limitMs)) return stay(state);
    return goBack(state, `deadline: in its preview for ${durationText(limitMs)} without a decision`, scene);
  }
  const waitMs = "after" in promote ? promote.after : promote.onVerdict.minTime;
  if ("after" in promote && isOver(scene, state.sinceMs, waitMs) && last?.verdict !== "hold")
    return goToFull(state, `by order of the plan, ${durationText(waitMs)} after every known sidecar confirmed it`, scene);
  if (!isOver(scene, state.sinceMs, waitMs + deadlines.stageMs)) return stay(state);
  const why = `deadline: the preview did not pass within ${durationText(deadlines.stageMs)} beyond its time: ${last?.reason ?? "no verdict"}`;
  return pauseAt(state, 0, why, scene);
}

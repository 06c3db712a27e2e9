import { type PlanState, servedPhase } from "../../contract/live.ts";
import { type Advance, advanceOf, askBefore, auditOf, gatesAhead, objectionTo } from "./gate.ts";
import { type In, move, refuse, type Scene, stay, type Taken } from "./moves.ts";
import type { Hold, PlanInput, PlanStep } from "./types.ts";

const reasonOf = (holds: readonly Hold[]): string => holds.map(({ kind, reason }) => `${kind}: ${reason}`).join("; ");
const fullReasonOf = (holds: readonly Hold[]): string =>
  holds.map(({ kind, reason, now }) => `${kind}: ${now === undefined ? reason : `${reason}: ${now}`}`).join("; ");

/** A step that the plan found, and whether evidence or sidecars led to it rather than people or time. */
export interface Found {
  readonly step: PlanStep;
  readonly scene: Scene;
  readonly isEvidence: boolean;
}

/**
 * The one place that asks whether a rollout may advance. What is held or must be asked first stays where it is, a person is told why; what
 * does not advance, like the way back, is never held. What evidence would do to a rollout that is only observed is said.
 */
export function mayAdvance(state: PlanState, input: PlanInput, { step, scene, isEvidence }: Found): PlanStep {
  if (!step.ok) return step;
  const advance = advanceOf(step);
  if (advance === undefined) return isEvidence && scene.mode === "observe" ? observed(state, step, scene) : step;
  if (input.type === "promote") return mayPromote(state, input, { step, advance, scene });
  if (scene.holds.length > 0) return stay(state);
  return state.phase === "gate" ? step : (askBefore(state, step, advance, scene) ?? step);
}

/** A person may where nothing holds the rollout, or in spite of that, and where the word passes all gates on the way. */
function mayPromote(
  state: PlanState,
  { who, override }: Extract<PlanInput, { type: "promote" }>,
  { step, advance, scene }: Readonly<{ step: Taken; advance: Advance; scene: Scene }>,
): PlanStep {
  const waiting = state.phase === "gate" ? [state.asks] : [];
  const gates = [...waiting, ...gatesAhead(servedPhase(state), step, advance, scene)];
  const objection = gates.map((gate) => objectionTo(gate, who, scene)).find((text) => text !== undefined);
  if (objection !== undefined) return refuse(state, scene, objection);
  if (scene.holds.length === 0) return step;
  const why = fullReasonOf(scene.holds);
  if (override !== true) return refuse(state, scene, `held by ${why}; wait, or promote with --override and --reason`);
  const effects = step.effects.map((effect) =>
    effect.type === "audit" ? { ...effect, reason: `${effect.reason} (in spite of ${why})` } : effect,
  );
  return { ...step, effects };
}

/** Evidence moves nothing here: where it would serve less, that is said once. */
function observed(state: PlanState, step: Taken, { nowMs }: Scene): Taken {
  if (step.state.run === state.run) return step;
  const { action, reason } = auditOf(step);
  if (state.would?.action === action) return stay(state);
  return move({ ...state, would: { action, reason, atMs: nowMs } }, "would", `${action}: ${reason}`);
}

/** While a rollout that goes on by itself is held, no deadline comes nearer; undefined where nothing is held and nothing was. */
export function timeHeld(state: PlanState, scene: Scene): Taken | undefined {
  switch (state.phase) {
    case "pending":
    case "stage":
    case "ramp":
    case "holdback":
    case "preview":
    case "shadow":
    case "group":
    case "gate":
      return heldIn(state, scene);
    case "queued":
    case "trial":
    case "decision":
    case "on":
    case "paused":
    case "promoting":
    case "promoted":
    case "rollingBack":
    case "rolledBack":
    case "handedOver":
      return undefined;
  }
}

/** Since when and by what is written down once; afterwards the phase counts as entered later by as much time as that took. */
function heldIn(
  { held, ...state }: In<"pending" | "stage" | "ramp" | "holdback" | "preview" | "shadow" | "group" | "gate">,
  { holds, nowMs }: Scene,
): Taken | undefined {
  if (holds.length === 0) {
    if (held === undefined) return undefined;
    const later = (ms: number): number => Math.min(nowMs, ms + nowMs - held.sinceMs);
    const share = state.phase === "ramp" ? { changedAtMs: later(state.changedAtMs) } : {};
    return move({ ...state, sinceMs: later(state.sinceMs), ...share }, "released", `no longer held by ${held.reason}`);
  }
  const reason = reasonOf(holds);
  const now = holds.flatMap((hold) => hold.now ?? []).join("; ");
  const next = { ...state, held: { sinceMs: held?.sinceMs ?? nowMs, reason, ...(now !== "" && { now }) } };
  return held?.reason === reason ? stay(next) : move(next, "held", fullReasonOf(holds));
}

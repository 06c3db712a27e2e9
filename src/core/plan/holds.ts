import type { PlanState } from "../../contract/live.ts";
import { type In, move, refuse, type Scene, stay, type Taken } from "./moves.ts";
import type { Hold, PlanEvent, PlanStep } from "./types.ts";

const reasonOf = (holds: readonly Hold[]): string => holds.map(({ kind, reason }) => `${kind}: ${reason}`).join("; ");

/**
 * The one place that asks whether a rollout may advance. What is held stays where it is, a person is told why and may override; what does
 * not advance, like the way back, is never held.
 */
export function mayAdvance(state: PlanState, event: PlanEvent, { step, scene }: { step: PlanStep; scene: Scene }): PlanStep {
  const { holds } = scene;
  const isAdvance = step.ok && step.effects.some((effect) => effect.type === "serve" && effect.advances === true);
  if (!isAdvance || holds.length === 0) return step;
  if (event.type !== "promote") return stay(state);
  const why = reasonOf(holds);
  if (event.override !== true) return refuse(state, scene, `held by ${why}; wait, or promote with --override and --reason`);
  const effects = step.effects.map((effect) =>
    effect.type === "audit" ? { ...effect, reason: `${effect.reason} (in spite of ${why})` } : effect,
  );
  return { ...step, effects };
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
  { held, ...state }: In<"pending" | "stage" | "ramp" | "holdback" | "preview" | "shadow" | "group">,
  { holds, nowMs }: Scene,
): Taken | undefined {
  if (holds.length === 0) {
    if (held === undefined) return undefined;
    const later = (ms: number): number => Math.min(nowMs, ms + nowMs - held.sinceMs);
    const share = state.phase === "ramp" ? { changedAtMs: later(state.changedAtMs) } : {};
    return move({ ...state, sinceMs: later(state.sinceMs), ...share }, "released", `no longer held by ${held.reason}`);
  }
  const reason = reasonOf(holds);
  if (held?.reason === reason) return stay({ ...state, held });
  return move({ ...state, held: { sinceMs: held?.sinceMs ?? nowMs, reason } }, "held", reason);
}

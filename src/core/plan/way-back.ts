import { durationText } from "./deadlines.ts";
import { type In, isOver, isSame, move, reasonOr, refuse, type Scene, stay } from "./moves.ts";
import { hurry, isFit, isNextDue, nextStep, type Stepping } from "./retreat.ts";
import type { PlanEvent, PlanStep } from "./types.ts";

/** Everyone goes to stable; who has not confirmed is remembered, so that the end can name them. */
export function inRollingBack(state: In<"rollingBack">, event: PlanEvent, scene: Scene): PlanStep {
  const { left, changedAtMs = state.sinceMs } = state;
  if (left !== undefined) return inRetreat(state, { left, changedAtMs }, event, scene);
  switch (event.type) {
    case "tick": {
      const limitMs = scene.deadlines.rollingBackMs;
      if (!isOver(scene, changedAtMs, limitMs)) return stay(state);
      const stragglers = state.missing ?? [];
      const who = stragglers.length === 0 ? "the last sidecars" : stragglers.join(", ");
      const unknown = `nobody knows what is served there; ${unwatchedText(state)}`;
      return ended(state, stragglers, `deadline: ${durationText(limitMs)} went by without a word from ${who}: ${unknown}`, scene);
    }
    case "receipts": {
      if (event.missing.length === 0) return ended(state, [], "every known sidecar serves stable", scene);
      return isSame(state.missing, event.missing) ? stay(state) : stay({ ...state, missing: [...event.missing] });
    }
    case "verdict":
    case "abort":
      return stay(state);
    case "promote":
    case "pause":
    case "resume":
    case "handover":
      return refuse(state, scene, `the way back is not stopped half-way (${state.reason}); retry when it is over`);
  }
}

/** The share falls as fast as stable can take its users, or at once where they are harmed and where a person says so. */
function inRetreat(state: In<"rollingBack">, stepping: Stepping, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick":
      if (scene.isStopped) return hurry(state, "a sidecar stopped the canary by itself", scene);
      return isNextDue(stepping, scene) ? nextStep(state, stepping.left, scene) : stay(state);
    case "receipts": {
      const { missing: before, ...rest } = state;
      if (event.missing.length > 0) return isSame(before, event.missing) ? stay(state) : stay({ ...state, missing: [...event.missing] });
      return stepping.left.begunAtMs === null ? stay({ ...rest, left: { ...stepping.left, begunAtMs: scene.nowMs } }) : stay(state);
    }
    case "verdict":
      return event.verdict === "rollback" && !isFit(event, scene) ? hurry(state, reasonOr(event.reason, "verdict"), scene) : stay(state);
    case "abort":
      return hurry(state, reasonOr(event.reason, "aborted"), scene);
    case "promote":
    case "pause":
    case "resume":
    case "handover":
      return refuse(state, scene, `it goes back in steps (${state.reason}); abort takes the rest back at once, retry when it is over`);
  }
}

/** What is known of a sidecar that cannot be heard: by its own limit it goes home, or it was told not to. */
export const unwatchedText = ({ isHeld }: Pick<In<"rollingBack">, "isHeld">): string =>
  isHeld === true ? "a sidecar that hears nothing keeps the canary" : "a sidecar that hears nothing for 30s sends its shares to stable";

function ended({ run, firstRun, reason, isHeld }: In<"rollingBack">, stragglers: string[], why: string, { nowMs }: Scene): PlanStep {
  const held = isHeld === true && stragglers.length > 0 ? { isHeld } : {};
  return move({ phase: "rolledBack", run, firstRun, sinceMs: nowMs, reason, stragglers, ...held }, "rolledBack", `${why} (${reason})`);
}

/** The end of an attempt. A straggler that confirms later, or is gone, is taken off the list; nobody is ever added. */
export function inRolledBack(state: In<"rolledBack">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "receipts": {
      const stragglers = state.stragglers.filter((sidecar) => event.missing.includes(sidecar));
      if (isSame(state.stragglers, stragglers)) return stay(state);
      const done = state.stragglers.filter((sidecar) => !stragglers.includes(sidecar)).join(", ");
      const left = stragglers.length === 0 ? "nobody is left" : `not ${stragglers.join(", ")}`;
      return move({ ...state, stragglers }, "confirmed", `the way back, by ${done} (or gone for good); ${left}`);
    }
    case "tick":
    case "verdict":
      return stay(state);
    case "promote":
    case "pause":
    case "resume":
    case "abort":
    case "handover":
      return refuse(state, scene, `this attempt is over (${state.reason}); retry, or apply another`);
  }
}

/** The other end: the rule rests. */
export function inHandedOver(state: In<"handedOver">, event: PlanEvent, scene: Scene): PlanStep {
  switch (event.type) {
    case "tick":
    case "receipts":
    case "verdict":
      return stay(state);
    case "promote":
    case "pause":
    case "resume":
    case "abort":
    case "handover":
      return refuse(state, scene, "stable runs the new version and the rule rests; apply a rollout for the next change");
  }
}

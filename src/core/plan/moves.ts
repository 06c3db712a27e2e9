import type { Course } from "../../contract/course.ts";
import type { Gate, Mode } from "../../contract/gates.ts";
import type { Phase, PlanState } from "../../contract/live.ts";
import { heldBackBp, type Ramp } from "../../contract/ramp.ts";
import type { Retreat } from "../../contract/retreat.ts";
import { standsInShadow } from "../../contract/shadow.ts";
import type { StragglerRule } from "../../contract/stragglers.ts";
import type { Verdict } from "../../contract/verdict.ts";
import type { Deadlines } from "./deadlines.ts";
import { standing } from "./standing.ts";
import type { Hold, PlanEffect, PlanStep } from "./types.ts";

/** One case of the plan's state. */
export type In<P extends Phase> = Extract<PlanState, { phase: P }>;

/** What every move needs to know besides state and event. */
export interface Scene extends Course {
  readonly rollout: string;
  /** The variant whose share the plan sets. */
  readonly grown: string;
  /** All variants beside stable. */
  readonly variants: readonly string[];
  readonly deadlines: Deadlines;
  readonly stragglers: StragglerRule;
  /** The rollout says that a sidecar that hears nothing keeps its shares. */
  readonly holdsUnwatched: boolean;
  readonly nowMs: number;
  readonly retreat: Retreat;
  /** Share set now, in basis points. */
  readonly shareBp: number;
  /** A sidecar stopped the canary of this run by itself. */
  readonly isStopped: boolean;
  /** What keeps the rollout from advancing at the moment; `mayAdvance` asks it, and nobody else need. */
  readonly holds: readonly Hold[];
  readonly mode: Mode;
  /** Asked before 100 %. */
  readonly promotionGate: Gate | undefined;
  /** Whether a name that only its bearer vouches for passes no gate with approvers. */
  readonly mustVouch: boolean;
}

/** A step that was taken. */
export type Taken = Extract<PlanStep, { ok: true }>;

const FULL_BP = 10_000;

/** Where a ramp stands, as a paused plan counts it; the promotion follows. */
export const RAMP_STEPS = { ramp: 0, holdback: 1, promotion: 2 } as const;

/** What paused plans call the promotion: the number of steps before it; whatever is neither stages nor a ramp is one step. */
export function promotionOf({ stages, ramp }: Scene): number {
  if (ramp !== undefined) return RAMP_STEPS.promotion;
  return Math.max(1, stages.length);
}

/** Share of a stage in basis points; past the last stage it is the promotion's. */
const shareAt = ({ stages }: Scene, stage: number): number => stages[stage]?.share ?? FULL_BP;

/** Users on any variant beside stable in a stage, in basis points: the judge takes them all as the canary, and so does what it calls safe. */
export function exposedAt(scene: Scene, stage: number): number {
  const others = Object.values(scene.stages[stage]?.shares ?? {});
  return others.reduce((sum, share) => sum + share, shareAt(scene, stage));
}

/** Nothing happens. */
export const stay = (state: PlanState): Taken => ({ ok: true, state, effects: [] });

/** Another state that serves the same. */
export const move = (state: PlanState, action: string, reason: string): Taken => ({
  ok: true,
  state,
  effects: [{ type: "audit", action, reason }],
});

/** What a state serves; `advances` where more users get another variant than stable: that may be held. */
interface Served {
  readonly shareBp: number;
  readonly off: boolean;
  readonly advances?: true;
}

/** Another state that serves something else; its run must be a new one. */
export const serve = (state: PlanState, served: Served, audit: { action: string; reason: string }): Taken => {
  const effects: PlanEffect[] = [
    { type: "serve", run: state.run, ...served },
    { type: "audit", ...audit },
  ];
  return { ok: true, state, effects };
};

/** True when a phase that began at `sinceMs` has lasted `limitMs`. A clock that went back makes nothing due. */
export const isOver = ({ nowMs }: Scene, sinceMs: number, limitMs: number): boolean => nowMs - sinceMs >= limitMs;

/** The run after this one, entered now. */
export const nextRun = ({ run, firstRun }: PlanState, nowMs: number): { run: number; firstRun: number; sinceMs: number } => ({
  run: run + 1,
  firstRun,
  sinceMs: nowMs,
});

/** On to a stage or, of a ramp, to the holdback; to the promotion when nothing is left before it. */
export function goTo(state: PlanState, stage: number, reason: string, scene: Scene): Taken {
  if (stage >= promotionOf(scene)) return goToFull(state, reason, scene);
  if (scene.ramp !== undefined) return goToHoldback(state, scene.ramp, reason, scene);
  const shareBp = shareAt(scene, stage);
  const next: PlanState = { phase: "stage", ...nextRun(state, scene.nowMs), stage, begunAtMs: null };
  return serve(
    next,
    { shareBp, off: false, advances: true },
    { action: "stage", reason: `stage ${stage + 1} of ${scene.stages.length}: ${reason}` },
  );
}

/** Another share of the ramp; `sinceMs` is when that began. */
export function goToShare(
  state: PlanState,
  place: Pick<In<"ramp">, "shareBp" | "sinceMs" | "returns">,
  reason: string,
  scene: Scene,
): Taken {
  const { shareBp } = place;
  const { nowMs } = scene;
  const next: PlanState = { phase: "ramp", ...nextRun(state, nowMs), ...place, changedAtMs: nowMs, begunAtMs: null };
  const isLess = state.phase === "holdback" || (state.phase === "ramp" && shareBp < state.shareBp);
  return serve(
    next,
    { shareBp, off: false, ...(isLess ? {} : { advances: true }) },
    { action: "ramp", reason: `${shareBp / 100}%: ${reason}` },
  );
}

/** How often the ramp began anew out of doubt in the holdback. */
export const returnsIn = (state: PlanState): Pick<In<"ramp">, "returns"> =>
  "returns" in state && state.returns !== undefined ? { returns: state.returns } : {};

function goToHoldback(state: PlanState, ramp: Ramp, reason: string, { nowMs }: Scene): Taken {
  const shareBp = heldBackBp(ramp);
  const next: PlanState = { phase: "holdback", ...nextRun(state, nowMs), begunAtMs: null, ...returnsIn(state) };
  return serve(next, { shareBp, off: false, advances: true }, { action: "holdback", reason: `${shareBp / 100}%: ${reason}` });
}

/** On to 100 %. After a shadow evidence begins anew: it was not about what users get. */
export function goToFull(
  state: PlanState,
  reason: string,
  { nowMs, grown }: Scene,
  { isAdvance = true, variant = grown }: Readonly<{ isAdvance?: boolean; variant?: string | undefined }> = {},
): Taken {
  const served = nextRun(state, nowMs);
  const winner = variant === grown ? {} : { winner: variant };
  const next: PlanState = { phase: "promoting", ...served, ...winner, ...(standsInShadow(state) && { firstRun: served.run }) };
  return serve(next, { shareBp: FULL_BP, off: false, ...(isAdvance && { advances: true }) }, { action: "promoting", reason });
}

/** The way back: everyone to stable, targets too. */
export function goBack(state: PlanState, reason: string, { nowMs }: Scene): Taken {
  const next: PlanState = { phase: "rollingBack", ...nextRun(state, nowMs), reason };
  return serve(next, { shareBp: 0, off: true }, { action: "rollback", reason });
}

/** What a verdict does where nothing can be earned by it: it leads back, or nowhere. */
export const onHarm = (state: PlanState, { verdict, reason }: Readonly<{ verdict: Verdict; reason: string }>, scene: Scene): Taken =>
  verdict === "rollback" ? goBack(state, reasonOr(reason, "verdict"), scene) : stay(state);

/** An end at which the rule rests. */
export const rests = ({ run, firstRun }: In<"on" | "promoted">, reason: string, { nowMs }: Scene): PlanStep => ({
  ok: true,
  state: { phase: "handedOver", run, firstRun, sinceMs: nowMs },
  effects: [{ type: "remove" }, { type: "audit", action: "handedOver", reason }],
});

/** Keeps the share that is served, and waits for a person; `stage` is where `resume` returns to. */
export function pauseAt(state: In<Pausable>, stage: number, reason: string, { nowMs }: Scene): Taken {
  const { run, firstRun } = state;
  return move({ phase: "paused", run, firstRun, sinceMs: nowMs, stage, ...placeOf(state), reason }, "paused", reason);
}

type Pausable = "stage" | "ramp" | "holdback" | "promoting" | "preview" | "shadow" | "group";

/** What the number of a step does not say of where `resume` returns to. */
export function placeOf(state: In<Pausable>): Pick<In<"paused">, "shareBp" | "from" | "groups" | "group" | "winner"> {
  switch (state.phase) {
    case "ramp":
      return { shareBp: state.shareBp };
    case "preview":
    case "shadow":
      return { from: state.phase };
    case "group":
      return { from: state.phase, groups: state.groups, group: state.group };
    case "promoting":
      return winnerIn(state);
    case "stage":
    case "holdback":
      return {};
  }
}

/** The variant that everyone gets, or is on the way to get: the one that grows, where no person chose another. */
export const everyonesVariant = (state: PlanState, grown: string): string => ("winner" in state ? state.winner : undefined) ?? grown;

/** Of a promotion whose variant a person chose: which. */
export const winnerIn = ({ winner }: Pick<In<"promoting">, "winner">): Pick<In<"promoting">, "winner"> =>
  winner === undefined ? {} : { winner };

/** A verb that does not fit: where the rollout stands, why it does not fit, and what would. */
export const refuse = (state: PlanState, scene: Scene, why: string): PlanStep => ({
  ok: false,
  refusal: `${scene.rollout} is ${standing(state, scene.stages.length)}: ${why}`,
});

/** A reason must say something: the contract refuses an empty one. */
export const reasonOr = (reason: string | undefined, otherwise: string): string =>
  reason === undefined || reason.trim() === "" ? otherwise : reason;

/** What happens, with the reason that a person gave for it. */
export const becauseOf = (what: string, { reason }: { readonly reason?: string | undefined }): string =>
  reason === undefined || reason.trim() === "" ? what : `${what}: ${reason}`;

/** Whether the same sidecars are missing, in whatever order. */
export const isSame = (a: readonly string[] | undefined, b: readonly string[]): boolean =>
  a?.length === b.length && b.every((sidecar) => a.includes(sidecar));

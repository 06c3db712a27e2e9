import { type PlanState, servedPhase } from "../../contract/live.ts";
import { durationText } from "./deadlines.ts";
import { type In, isOver, nextRun, type Scene, serve, type Taken } from "./moves.ts";
import type { PlanInput, PlanStep } from "./types.ts";

const FULL_BP = 10_000;
type Left = Omit<NonNullable<In<"rollingBack">["left"]>, "begunAtMs">;

/**
 * A canary is as good as dead when so much does not end of what it is given within so many seconds, about as long as a request takes to
 * be found overdue. Of all that it was ever given, harm that begins late would be a small part.
 */
const HANGING_PART = 0.1;
const GIVEN_S = 5;

/** Whether a canary that is to go back is fit to serve for some more steps: neither do requests or users fail, nor do requests hang. */
export function isFit(
  { isFit: isWell = false, hanging = 0, requestsPerSecond = 0 }: Extract<PlanInput, { type: "verdict" }>,
  { shareBp }: Scene,
): boolean {
  const given = (requestsPerSecond * GIVEN_S * shareBp) / FULL_BP;
  return isWell && hanging <= HANGING_PART * given;
}

/** Whether what leads back leaves users on the canary who are well there. */
function isAtOnce(input: PlanInput, scene: Scene): boolean {
  if (scene.isStopped) return true;
  if (input.type === "verdict") return !isFit(input, scene);
  return (input.type === "abort" || input.type === "undo") && input.now === true;
}

/** The way back as the rollout wants it: everyone at once, or the first step where stable cannot take more. `mustHurry` where users are harmed. */
export function inSteps(
  before: PlanState,
  taken: PlanStep,
  { input, mustHurry, scene }: Readonly<{ input: PlanInput; mustHurry: boolean; scene: Scene }>,
): PlanStep {
  if (!taken.ok || taken.state.phase !== "rollingBack" || before.phase === "rollingBack") return taken;
  const left = lessBy({ shareBp: scene.shareBp, ...groupsIn(before) }, scene);
  if (left === undefined || mustHurry || isAtOnce(input, scene)) return taken;
  const { step, every } = scene.retreat;
  const { state } = taken;
  const how = `in steps of ${step / 100}% every ${durationText(every)}, to ${left.shareBp / 100}% first`;
  return setLeft(state, left, { action: "rollback", reason: `${how}: ${state.reason}` }, scene);
}

/** The next step of a way back: the last brings everyone home. */
export function nextStep(state: In<"rollingBack">, left: Left, scene: Scene): Taken {
  const next = lessBy(left, scene);
  if (next === undefined) return goHome(state, `0%: ${state.reason}`, scene);
  const { run } = nextRun(state, scene.nowMs);
  return setLeft({ ...state, run }, next, { action: "retreat", reason: `${next.shareBp / 100}%: ${state.reason}` }, scene);
}

/** What is left of a way back in steps goes home at once. */
export const hurry = (state: In<"rollingBack">, why: string, scene: Scene): Taken =>
  goHome({ ...state, reason: `${state.reason}; then at once: ${why}` }, `at once: ${why}`, scene);

function goHome({ left: _left, missing: _missing, ...state }: In<"rollingBack">, reason: string, { nowMs }: Scene): Taken {
  const { run } = nextRun(state, nowMs);
  return serve({ ...state, run, changedAtMs: nowMs }, { shareBp: 0, off: true }, { action: "retreat", reason });
}

/** When stable has had its time: since every known sidecar confirmed, or since nobody can be left who did not and still serves it. */
export function isNextDue({ left, changedAtMs }: Stepping, scene: Scene): boolean {
  const { deadlines, retreat } = scene;
  return isOver(scene, left.begunAtMs ?? changedAtMs + deadlines.rollingBackMs, retreat.every);
}

/** A way back that leaves something on the canary. */
export interface Stepping {
  readonly left: NonNullable<In<"rollingBack">["left"]>;
  /** Unix milliseconds. */
  readonly changedAtMs: number;
}

function setLeft(
  { missing: _missing, ...state }: In<"rollingBack">,
  left: Left,
  audit: { readonly action: string; readonly reason: string },
  { nowMs }: Scene,
): Taken {
  return serve({ ...state, left: { ...left, begunAtMs: null }, changedAtMs: nowMs }, { shareBp: left.shareBp, off: false }, audit);
}

/** Of groups of sidecars those go back that are on. */
function groupsIn(standing: PlanState): Pick<Left, "groups" | "group"> {
  const state = servedPhase(standing);
  return "groups" in state ? { groups: state.groups, group: state.group } : {};
}

/** One step less; undefined where that leaves nobody. */
function lessBy({ shareBp, groups, group }: Left, { retreat }: Scene): Left | undefined {
  const next = shareBp - retreat.step;
  return next <= 0 ? undefined : { shareBp: next, ...(groups && { groups, group }) };
}

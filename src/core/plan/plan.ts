import { courseOf } from "../../contract/course.ts";
import { grownVariant, variantsBeside } from "../../contract/lanes.ts";
import { type PlanState, servedPhase } from "../../contract/live.ts";
import { AT_ONCE } from "../../contract/retreat.ts";
import type { Rollout } from "../../contract/rollout.ts";
import { stragglerRule } from "../../contract/stragglers.ts";
import { retried, undone } from "./attempts.ts";
import { type Cost, spentText } from "./blast-radius.ts";
import { DEADLINES, type Deadlines, durationText } from "./deadlines.ts";
import { isOnItsWay } from "./endpoints.ts";
import { inGate } from "./gate.ts";
import { mayAdvance, timeHeld } from "./holds.ts";
import { otherVariant } from "./in-trial.ts";
import { isJudged } from "./judged.ts";
import { becauseOf, goBack, reasonOr, type Scene, stay } from "./moves.ts";
import { NO_DATA_MS, silentSinceMs } from "./no-data.ts";
import { stepIn } from "./phases.ts";
import { hurry, inSteps } from "./retreat.ts";
import { knowingWhatIsHeld, receiptsByRule, withoutThem } from "./stragglers.ts";
import type { Hold, PlanEvent, PlanInput, PlanStep } from "./types.ts";

/** When something happens, and what else stands then. */
export interface Moment {
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** What keeps the rollout from advancing; nothing when absent. */
  readonly holds?: readonly Hold[];
  /** Whether a name that only its bearer vouches for passes no gate with approvers. */
  readonly mustVouch?: boolean;
  /** Share set now, in basis points; nobody's when absent. */
  readonly shareBp?: number;
  /** Whether a sidecar stopped the canary of the run in force by itself. */
  readonly isStopped?: boolean;
  /** What the canary has cost so far; unknown when absent. */
  readonly cost?: Cost;
  /** Its endpoints are not ready for longer than it lets them; for people. */
  readonly unready?: string | undefined;
}

/** The plan's machine for one rollout. It reads no clock: the moment comes in, effects go out, and the same input gives the same step. */
export type Plan = (rollout: Rollout, state: PlanState, input: PlanInput, moment: Moment) => PlanStep;

/**
 * The machine with other deadlines than those of production, in milliseconds.
 * A verdict must be of the run in force: the machine cannot tell an older one from a fresh one.
 */
export function planWith(deadlines: Partial<Deadlines>): Plan {
  // A thousand rollouts are asked at each tick, and what they ask of the plan takes longer to write out than to answer.
  const known = new WeakMap<Rollout, Standing>();
  return (rollout, state, input, moment) => {
    const standing = known.get(rollout) ?? standingOf(rollout, deadlines);
    known.set(rollout, standing);
    const { nowMs, holds = [], mustVouch = false, shareBp = 0, isStopped = false } = moment;
    const scene = { ...standing, nowMs, holds, mustVouch, shareBp, isStopped };
    const alarm = alarmIn(rollout, { state, input, moment });
    const step = (taken: PlanStep, isEvidence: boolean): PlanStep => {
      const back = inSteps(state, taken, { input, mustHurry: alarm !== undefined, scene });
      return mayAdvance(state, input, { step: knowingWhatIsHeld(state, back, scene), scene, isEvidence });
    };
    if (alarm !== undefined) {
      const alarmed = step(state.phase === "rollingBack" ? hurry(state, alarm, scene) : goBack(state, alarm, scene), true);
      // Of one that is only observed it is said once; its deadlines come nearer all the same.
      if (!alarmed.ok || alarmed.state !== state) return alarmed;
    }
    const held = input.type === "tick" ? timeHeld(state, scene) : undefined;
    if (held !== undefined) return withoutThem(state, held);
    // What an undo waits for is a person's word, not evidence.
    const isUndo = state.phase === "pending" && state.atOnce === true;
    const taken =
      input.type === "receipts"
        ? receiptsByRule(state, input, scene, (told) => answerTo(state, told, scene))
        : withoutThem(state, answerTo(state, input, scene));
    return step(taken, input.type === "verdict" || input.type === "answer" || (input.type === "receipts" && !isUndo));
  };
}

/** The machine with the deadlines of production. */
export const plan: Plan = planWith({});

/** What is the same at every moment. */
type Standing = Omit<Scene, "nowMs" | "holds" | "mustVouch" | "shareBp" | "isStopped">;

function standingOf(rollout: Rollout, deadlines: Partial<Deadlines>): Standing {
  const { name, variants, strategy, mode, promotion, onUnwatched, handover, retreat = AT_ONCE } = rollout;
  const { within: promotedMs = deadlines.promotedMs ?? DEADLINES.promotedMs } = handover ?? {};
  const known = {
    rollout: name,
    grown: grownVariant(variants),
    variants: variantsBeside(variants),
    mode,
    promotionGate: promotion?.gate,
  };
  const ofSidecars = { stragglers: stragglerRule(rollout), holdsUnwatched: onUnwatched === "hold" };
  return { ...courseOf(strategy), ...known, ...ofSidecars, retreat, deadlines: { ...DEADLINES, ...deadlines, promotedMs } };
}

/** Why a rollout goes back whatever its verdict is; undefined where nothing asks for that. */
function alarmIn(
  { checks, blastRadius }: Rollout,
  { state, input, moment: { nowMs, cost, unready } }: Readonly<{ state: PlanState; input: PlanInput; moment: Moment }>,
): string | undefined {
  if (unready !== undefined && input.type === "tick" && isOnItsWay(state)) return unready;
  if (!isJudged(state) || (input.type !== "tick" && input.type !== "verdict")) return undefined;
  const isSilent = input.type === "tick" && silentSinceMs(state, input.last?.canaryAtMs, nowMs) !== undefined;
  if (isSilent && checks.onNoData === "rollback")
    return `no ${servedPhase(state).phase === "shadow" ? "answer of the shadow" : "outcome of the canary"} for ${durationText(NO_DATA_MS)}, and onNoData says rollback`;
  return blastRadius === undefined || cost === undefined ? undefined : spentText(blastRadius, cost);
}

function answerTo(state: PlanState, input: PlanInput, scene: Scene): PlanStep {
  switch (input.type) {
    case "retry":
      return retried(state, input, scene);
    case "undo":
      return undone(state, scene) ?? answerTo(state, { ...input, type: "abort", reason: reasonOr(input.reason, "undone") }, scene);
    case "answer":
      return state.phase === "gate" ? inGate(state, input, scene) : stay(state);
    case "resume":
    case "handover":
      return because(inPhase(state, input, scene), input);
    case "promote":
      return otherVariant(state, input, scene) ?? inPhase(state, input, scene);
    case "tick":
    case "verdict":
    case "receipts":
    case "pause":
    case "abort":
      return inPhase(state, input, scene);
  }
}

const inPhase = (state: PlanState, event: PlanEvent, scene: Scene): PlanStep =>
  state.phase === "gate" ? inGate(state, event, scene) : stepIn(state, event, scene);

/** The audit tells the reason that a person gave, where what happens has one of its own. */
function because(step: PlanStep, event: { readonly reason?: string | undefined }): PlanStep {
  if (!step.ok) return step;
  const effects = step.effects.map((effect) => (effect.type === "audit" ? { ...effect, reason: becauseOf(effect.reason, event) } : effect));
  return { ...step, effects };
}

import type { PlanState } from "../../contract/live.ts";
import { durationText } from "./deadlines.ts";
import { lackingIn } from "./groups.ts";
import { goBack, isOver, isSame, type Scene } from "./moves.ts";
import type { PlanEffect, PlanEvent, PlanStep } from "./types.ts";

type Receipts = Extract<PlanEvent, { type: "receipts" }>;
type Step = (event: Receipts) => PlanStep;

/** Confirmations come one by one within moments: who is waited for is written down where the wait is longer. */
const SHORT_WAIT_MS = 1_000;

/** True while a plan waits for the word of sidecars: about a run that is to begin, or about the way back. */
export function awaitsReceipts(state: PlanState): boolean {
  // Of groups it also waits for those that come.
  if (state.phase === "group") return true;
  if ("begunAtMs" in state) return state.begunAtMs === null;
  if ("left" in state && state.left !== undefined) return state.left.begunAtMs === null;
  if ("stragglers" in state) return state.stragglers.length > 0;
  return state.phase === "pending" || state.phase === "promoting" || state.phase === "rollingBack";
}

/** When the run in force was set, Unix milliseconds. */
export const servedAtMs = (state: PlanState): number => ("changedAtMs" in state ? (state.changedAtMs ?? state.sinceMs) : state.sinceMs);

/** Who has not confirmed the run in force, or the way back, when last looked at; nobody while the wait is short. */
export const awaitedBy = (state: PlanState): readonly string[] => ("stragglers" in state ? state.stragglers : (state.missing ?? []));

const isWayBack = ({ phase }: PlanState): boolean => phase === "rollingBack" || phase === "rolledBack";

/**
 * Receipts by the rollout's rule for stragglers: who has been left behind in this attempt is not waited for until its word comes, and who
 * is late beyond the rule's time is waited for, left behind or the reason to go back. The way back has a deadline of its own.
 */
export function receiptsByRule(state: PlanState, event: Receipts, scene: Scene, step: Step): PlanStep {
  // A group that has begun waits for other groups alone.
  const hasBegun = state.phase === "group" && state.begunAtMs !== null;
  if (!awaitsReceipts(state) || isWayBack(state) || hasBegun) return step(event);
  const without = (state.without ?? []).filter((sidecar) => event.missing.includes(sidecar));
  // Nobody begins before the groups are there that the plan orders; an undo is for everyone.
  const lacking = state.phase === "pending" && state.atOnce !== true ? lackingIn(event.groups ?? [], scene) : [];
  const late = [...event.missing.filter((sidecar) => !without.includes(sidecar)), ...lacking];
  const { after, action } = scene.stragglers;
  const sinceMs = Math.max(servedAtMs(state), event.listeningSinceMs ?? 0);
  const isLate = late.length > 0 && isOver(scene, sinceMs, after);
  const why = `${late.join(", ")} did not confirm run ${state.run} within ${durationText(after)}`;
  if (isLate && action === "rollback") return goBack(state, `stragglers: ${why}`, scene);
  // Without anybody who obeys there is nothing to go on with.
  const goesOn = isLate && action === "goOn" && (event.known ?? 0) > event.missing.length;
  const taken = step({ ...event, missing: goesOn ? [] : late });
  const audited = goesOn ? `without stragglers: ${why}` : undefined;
  return noted(taken, { scene, late, without: goesOn ? event.missing : without, audited });
}

interface Noted {
  readonly scene: Scene;
  readonly late: readonly string[];
  readonly without: readonly string[];
  readonly audited: string | undefined;
}

/** Writes down who is waited for and who was left behind: in the state, and why in the audit. */
function noted(taken: PlanStep, { scene, late, without, audited }: Noted): PlanStep {
  if (!taken.ok) return taken;
  const { state, effects } = taken;
  const isLong = effects.length === 0 && isOver(scene, servedAtMs(state), SHORT_WAIT_MS);
  const told = audited === undefined ? effects : effects.map((effect) => withReason(effect, audited));
  // A phase that waits for somebody else says so itself.
  const own = late.length === 0 && effects.length === 0 ? state.missing : undefined;
  return { ok: true, state: withLists(state, isLong && late.length > 0 ? late : (own ?? []), without), effects: told };
}

const withReason = (effect: PlanEffect, reason: string): PlanEffect =>
  effect.type === "audit" ? { ...effect, reason: `${effect.reason}, ${reason}` } : effect;

/** A state with these sidecars written down; the same one where they are already. */
function withLists(state: PlanState, missing: readonly string[], without: readonly string[]): PlanState {
  if (isSame(state.missing ?? [], missing) && isSame(state.without ?? [], without)) return state;
  const { missing: _missing, without: _without, ...rest } = state;
  return { ...rest, ...(missing.length > 0 && { missing: [...missing] }), ...(without.length > 0 && { without: [...without] }) };
}

/** A step that keeps who was left behind, as long as the attempt goes on: they are not waited for in its next runs either. */
export function withoutThem(before: PlanState, taken: PlanStep): PlanStep {
  const { without } = before;
  if (!taken.ok || without === undefined || isWayBack(taken.state) || taken.state === before) return taken;
  return { ...taken, state: { ...taken.state, without } };
}

/** A step back that knows whether a sidecar that hears nothing keeps the canary. */
export function knowingWhatIsHeld(before: PlanState, taken: PlanStep, { holdsUnwatched }: Pick<Scene, "holdsUnwatched">): PlanStep {
  if (!taken.ok || taken.state.phase !== "rollingBack" || before.phase === "rollingBack") return taken;
  // Of a promoted version the rules say hold, whatever the rollout says: the old stable may be on its way out.
  const isHeld = holdsUnwatched || before.phase === "promoting" || before.phase === "promoted";
  return isHeld ? { ...taken, state: { ...taken.state, isHeld } } : taken;
}

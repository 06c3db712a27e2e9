import { rampOf, stagesOf } from "../contract/course.ts";
import { NOBODY, type PlanState } from "../contract/live.ts";
import { heldBackBp, RAMP_CAP_BP, type Ramp } from "../contract/ramp.ts";
import type { Rollout } from "../contract/rollout.ts";
import type { OwnStrategy, Strategy } from "../contract/strategy.ts";
import type { VerdictRecord } from "../contract/verdict.ts";
import { silentSinceMs } from "../core/plan/no-data.ts";
import { DOUBT_ODDS, EVERY_MS, LEAST_TIMES } from "../core/plan/ramp.ts";
import { duration, share } from "./format.ts";

/** What of a strategy the text of a phase needs: the number of stages, or the ramp. */
export interface PlanShape {
  readonly stages: number;
  readonly ramp: Ramp | null;
  /** As parsed, with the preset or template that it names. */
  readonly strategy?: Strategy | undefined;
}

/** The shape of a plan that was read; of one that was not, nothing. */
export const planShape = (rollout: Pick<Rollout, "strategy"> | undefined): PlanShape =>
  rollout === undefined
    ? { stages: 0, ramp: null }
    : { stages: stagesOf(rollout.strategy).length, ramp: rampOf(rollout.strategy) ?? null, strategy: rollout.strategy };

const NAMED = 5;

/** For whom a rollout waits, by name as far as a line holds them. */
function waitText(missing: readonly string[] = []): string {
  if (missing.length === 0) return "waiting for every sidecar";
  if (missing[0] === NOBODY) return `${NOBODY} yet`;
  const named = missing.slice(0, NAMED).join(", ");
  return `waiting for ${named}${missing.length > NAMED ? ` and ${missing.length - NAMED} more` : ""}`;
}

const begunText = ({
  begunAtMs,
  missing,
}: {
  readonly begunAtMs: number | null;
  readonly missing?: readonly string[] | undefined;
}): string => (begunAtMs === null ? `, ${waitText(missing)}` : "");

const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(11, 16)} UTC`;

/** The phase for people. */
export function phaseText({ plan, stages, ramp, strategy }: PlanShape & { readonly plan: PlanState }): string {
  switch (plan.phase) {
    case "queued":
      return `queued: ${plan.reason}`;
    case "pending":
      return `pending, ${waitText(plan.missing)}`;
    case "stage":
      return `stage ${plan.stage + 1} of ${stages}${begunText(plan)}`;
    case "ramp":
      return `ramp at ${share(plan.shareBp)}${begunText(plan)}`;
    case "holdback":
      return ramp === null ? `holdback${begunText(plan)}` : holdbackText(plan, ramp);
    case "preview":
      return `preview, only targets lead to the new version${previewText(plan.sinceMs, strategy)}`;
    case "shadow":
      return "shadow, nobody gets the new version and its answers to copies are compared";
    case "trial":
      return `test${plan.begunAtMs === null ? begunText(plan) : untilText(plan.begunAtMs, timeOf(strategy))}`;
    case "decision":
      return `tested, waiting for a decision: \`serin promote${choiceText(strategy)}\` or \`serin abort\``;
    case "on":
      return `on${begunText(plan)}${plan.overdue ? " (overdue: take it out of the code, then `serin handover`)" : ""}`;
    case "group":
      return `group ${plan.group + 1} of ${plan.groups.length}, ${plan.groups[plan.group]}${begunText(plan)}`;
    case "gate":
      return gateText(plan);
    case "paused":
      return `paused (${plan.reason})`;
    case "promoting":
      return `promoting${winnerText(plan)} to 100 %, ${waitText(plan.missing)}`;
    case "promoted":
      return `promoted${winnerText(plan)}, waiting for hand-over${plan.overdue ? " (overdue)" : warmText(plan.sinceMs, strategy)}: keep the old stable up until \`serin handover\``;
    case "rollingBack":
      return plan.left === undefined
        ? `rolling back (${plan.reason})`
        : `rolling back in steps, ${share(plan.left.shareBp)} left, \`serin abort\` ends it at once (${plan.reason})`;
    case "rolledBack":
      return `rolled back (${plan.reason})${plan.stragglers.length === 0 ? "" : `, not confirmed by ${plan.stragglers.join(", ")}`}`;
    case "handedOver":
      return "handed over";
  }
}

const ifType = <T extends OwnStrategy["type"]>(strategy: Strategy | undefined, type: T): Extract<OwnStrategy, { type: T }> | undefined =>
  strategy !== undefined && "type" in strategy && isOf(strategy, type) ? strategy : undefined;

const isOf = <T extends OwnStrategy["type"]>(strategy: OwnStrategy, type: T): strategy is Extract<OwnStrategy, { type: T }> =>
  strategy.type === type;

const winnerText = ({ winner }: Readonly<{ winner?: string | undefined }>): string => (winner === undefined ? "" : ` ${winner}`);

/** What a person may choose from after a test of several variants. */
function choiceText(strategy: Strategy | undefined): string {
  const tested = Object.keys(ifType(strategy, "abTest")?.shares ?? {});
  return tested.length < 2 ? "" : ` --variant ${tested.join("|")}`;
}

/** Whose word a gate waits for, until when, and for what. */
function gateText({ asks, sinceMs, to, said, held }: Extract<PlanState, { phase: "gate" }>): string {
  const who = asks.approvers === undefined ? "somebody" : asks.approvers.join(" or ");
  const until = held === undefined ? ` until ${dayText(sinceMs + asks.limitMs)}, then ${asks.atLimit}` : "";
  const answer = said === undefined ? "" : `; its webhook says: ${said}`;
  return `at its gate, waiting for ${who} to promote or abort${until}${answer}; asks for ${share(to.shareBp)}: ${to.reason}`;
}

/** Whose word leads on from a preview. */
function previewText(sinceMs: number, strategy: Strategy | undefined): string {
  const promote = ifType(strategy, "blueGreen")?.preview.promote;
  if (promote === undefined) return "";
  if (promote === "byHand") return "; 100 % by `serin promote`";
  return "after" in promote
    ? `; 100 % by order of the plan at ${dayText(sinceMs + promote.after)}`
    : "; 100 % when the evidence calls it safe";
}

const timeOf = (strategy: Strategy | undefined): number | undefined => ifType(strategy, "abTest")?.time;

const untilText = (begunAtMs: number, timeMs: number | undefined): string =>
  timeMs === undefined ? "" : ` until ${dayText(begunAtMs + timeMs)}`;

function warmText(sinceMs: number, strategy: Strategy | undefined): string {
  const warmMs = ifType(strategy, "blueGreen")?.keepWarm;
  return warmMs === undefined ? "" : `, stable kept warm until ${dayText(sinceMs + warmMs)}`;
}

const dayText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;

function holdbackText(plan: Extract<PlanState, { phase: "holdback" }>, ramp: Ramp): string {
  const { begunAtMs } = plan;
  const until = begunAtMs === null ? begunText(plan) : ` until ${timeText(begunAtMs + ramp.holdback.timeMs)}`;
  return `holdback at ${share(heldBackBp(ramp))}, ${share(ramp.holdback.shareBp)} stay on stable${until}`;
}

/** What a ramp waits for; null where nothing is to be said that the phase does not say. */
export function nextText(plan: PlanState, ramp: Ramp | null, verdict: VerdictRecord | null): string | null {
  if (plan.phase !== "ramp" || plan.begunAtMs === null || ramp === null) return null;
  if (verdict === null || verdict.run !== plan.run) return `next when outcomes of run ${plan.run} are judged`;
  const { odds, safeShareBp, reason } = verdict;
  if (odds >= DOUBT_ODDS) return `next when the odds of harm are below ${DOUBT_ODDS} : 1`;
  if (verdict.verdict === "hold") return `next when nothing holds it: ${reason}`;
  const leastBp = Math.min(RAMP_CAP_BP, Math.ceil(LEAST_TIMES * plan.shareBp));
  if (plan.shareBp < RAMP_CAP_BP && safeShareBp >= leastBp) return `next when this share has lasted ${duration(EVERY_MS)}`;
  if (plan.shareBp < RAMP_CAP_BP) return `next when the evidence calls ${share(leastBp)} safe, or by the clock`;
  if (safeShareBp < 10_000) return "next when it is proven for everybody";
  return `next at ${timeText(plan.sinceMs + ramp.minTimeMs)}, when its shortest time is over`;
}

/** That a canary is silent which is served; null where it is not, or not for long. */
export function silenceText(plan: PlanState, verdict: VerdictRecord | null, nowMs: number): string | null {
  const sinceMs = silentSinceMs(plan, verdict?.canaryAtMs, nowMs);
  if (sinceMs === undefined) return null;
  const silent = `for ${duration(nowMs - sinceMs)}`;
  return plan.phase === "shadow"
    ? `no answer of the shadow ${silent}: does Envoy's configuration name its cluster where it says SHADOWS?`
    : `no outcome of the canary ${silent}`;
}

import type { PlanState } from "../../contract/live.ts";
import type { Rollout } from "../../contract/rollout.ts";
import type { Tick } from "../../contract/ticks.ts";
import type { VerdictRecord } from "../../contract/verdict.ts";
import { judge, learn, startJudge } from "../judge/judge.ts";
import { policyOf } from "../judge/policy.ts";
import { rateOf } from "../judge/rate.ts";
import type { JudgeState } from "../judge/state.ts";
import { batchOfTick, type TickClock, type TicksBegin } from "../judge/ticks.ts";
import type { EvidenceBatch } from "../judge/types.ts";
import { isJudged } from "../plan/judged.ts";
import { plan } from "../plan/plan.ts";
import { startPlan } from "../plan/start.ts";
import { type PlanEvent, type PlanStep, verdictEvent } from "../plan/types.ts";

/** Where a replayed rollout stands. */
export interface Replay {
  readonly rollout: Rollout;
  readonly boundsMs: readonly number[];
  readonly clock: TickClock;
  readonly plan: PlanState;
  /** Share that the plan set last, in basis points: what the next tick should be served with. */
  readonly shareBp: number;
  readonly state: JudgeState;
  /** Null before the first tick. */
  readonly record: VerdictRecord | null;
}

/** What followed from a tick: `weight` is another share, `promote` that the plan is done with 100 %. */
export type ReplayAction = "hold" | "weight" | "rollback" | "promote";

const FIRST_RUN = 1;

/** A rollout at its begin, with all of its rules confirmed; the history is judged before it. */
export function startReplay(rollout: Rollout, { boundsMs, clock, sinceMs, beginMs, history }: TicksBegin): Replay {
  const { state: pending } = startPlan(beginMs, FIRST_RUN);
  const policy = policyOf(rollout, pending, boundsMs);
  const state = history.reduce((before, batch) => learn(policy, before, batch), startJudge(sinceMs));
  return confirmed({ rollout, boundsMs, clock, plan: pending, shareBp: 0, state, record: null }, beginMs, rateOf(state));
}

/** Takes one tick through judge and plan. */
export function stepReplay(before: Replay, tick: Tick): Readonly<{ replay: Replay; action: ReplayAction }> {
  const replay = stepBatch(before, batchOfTick(tick, before.clock, before.plan.run));
  return { replay, action: actionOf(standing(before), standing(replay)) };
}

/** The same of one batch of evidence. Sidecars' confirmations are taken as given at once; after the way back nothing is judged. */
export function stepBatch(before: Replay, batch: EvidenceBatch): Replay {
  const judged = isJudged(before.plan) ? withVerdict(before, batch) : before;
  return withEvent(confirmed(judged, batch.nowMs), { type: "tick", last: judged.record }, batch.nowMs);
}

function withVerdict(before: Replay, batch: EvidenceBatch): Replay {
  const { state, record } = judge(policyOf(before.rollout, before.plan, before.boundsMs), before.state, batch);
  return withEvent({ ...before, state, record }, verdictEvent(record), batch.nowMs);
}

/** What the plan makes of an event; one that it refuses changes nothing. */
export function withEvent(replay: Replay, event: PlanEvent, nowMs: number): Replay {
  const step: PlanStep = plan(replay.rollout, replay.plan, event, { nowMs, shareBp: replay.shareBp });
  if (!step.ok) return replay;
  const served = step.effects.flatMap((effect) => (effect.type === "serve" ? [effect.shareBp] : []));
  // Of another attempt, or of others than before, evidence begins anew.
  const state = step.state.firstRun === replay.plan.firstRun ? replay.state : startJudge(nowMs);
  return { ...replay, plan: step.state, shareBp: served.at(-1) ?? replay.shareBp, state };
}

/** Everyone confirms whatever the plan waits for. */
function confirmed(replay: Replay, nowMs: number, requestsPerSecond = replay.record?.rate): Replay {
  const next = withEvent(replay, { type: "receipts", missing: [], requestsPerSecond }, nowMs);
  return next.plan === replay.plan ? next : confirmed(next, nowMs, requestsPerSecond);
}

/** The phase of a plan, and the share that it serves, in basis points. */
export type Standing = Readonly<{ phase: string; shareBp: number }>;

const standing = ({ plan: { phase }, shareBp }: Replay): Standing => ({ phase, shareBp });

const BACK: ReadonlySet<string> = new Set(["rollingBack", "rolledBack"]);

/** How a rollout that stood there came to stand here. */
export function actionOf(before: Standing, after: Standing): ReplayAction {
  if (BACK.has(after.phase) && !BACK.has(before.phase)) return "rollback";
  if (after.phase === "promoted" && before.phase !== "promoted") return "promote";
  return after.shareBp === before.shareBp ? "hold" : "weight";
}

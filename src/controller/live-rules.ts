import { isDeepStrictEqual } from "node:util";
import type * as z from "zod";
import type { LiveState, PlanState } from "../contract/live.ts";
import type { Audit, Reply, Who } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import type { PlanEffect } from "../core/plan/types.ts";
import type { Revision } from "./fleet.ts";

const MAX_REPLIES = 32;
const MAX_OUTBOX = 64;

/** What a step needs besides the plan's own answer. */
export interface StepContext {
  readonly nowMs: number;
  /** Who caused it. */
  readonly who: Who;
  /** Number of stages of the rollout. */
  readonly stages: number;
  /** The revision of the next manifest, which will carry what this step serves. */
  readonly next: Revision;
  /** Gives an id that no other record has; the audit stream removes repeats by it. */
  readonly auditId: () => string;
  /** What led to the step, like a verdict's record. */
  readonly detail?: z.core.util.JSONType;
  /** What a person asked for. */
  readonly asked?: LiveState["asked"];
}

/** The plan's answer: a new state and what to do about it. */
export interface Change {
  readonly state: PlanState;
  readonly effects: readonly PlanEffect[];
  /** Sidecars that stopped the canary by themselves, where one more did. */
  readonly stops?: LiveState["stops"];
}

/** Live state before anything was served. */
export const freshLive = (rollout: string, planSequence: number, state: PlanState, nowMs: number): LiveState => ({
  format: FORMAT,
  rollout,
  planSequence,
  plan: state,
  shareBp: 0,
  revision: { epoch: 0, revision: 0 },
  updatedAtMs: nowMs,
  commands: [],
  outbox: [],
});

/** True when a step changes nothing, so that nothing needs to be written. */
export const isNothing = (live: LiveState, { state, effects }: Change): boolean =>
  effects.length === 0 && isDeepStrictEqual(state, live.plan);

/** Live state after a step: the effects are carried out on paper, with their audit records waiting in the outbox. */
export function liveAfter(before: LiveState, { state, effects, stops = before.stops }: Change, context: StepContext): LiveState {
  const { stops: _, ...live } = before;
  let { shareBp, revision } = live;
  const records: Audit[] = [];
  for (const effect of effects) {
    switch (effect.type) {
      case "serve":
        shareBp = effect.shareBp;
        revision = context.next;
        break;
      case "remove":
        shareBp = 0;
        revision = context.next;
        break;
      case "audit":
        records.push(recordOf(live.rollout, effect, context));
        break;
    }
  }
  const place = placeOf(state, context.stages);
  const left = { ...placeOf(live.plan, context.stages), shareBp: live.shareBp };
  const moved = isDeepStrictEqual(left, { ...place, shareBp }) ? {} : { before: left };
  const stamped = records.map((record) => ({ ...record, run: state.run, shareBp, attempt: state.firstRun, ...place, ...moved }));
  const { nowMs, asked = live.asked } = context;
  const outbox = [...live.outbox, ...stamped];
  // A new run begins everywhere.
  const kept = stops !== undefined && state.run === before.plan.run ? { stops } : {};
  return { ...live, ...kept, plan: state, shareBp, revision, updatedAtMs: nowMs, ...(asked && { asked }), outbox };
}

/** Where a plan stands. Paused plans count a ramp's steps and the promotion too, which are no stages. */
const placeOf = (plan: PlanState, stages: number): Omit<NonNullable<Audit["before"]>, "shareBp"> => ({
  phase: plan.phase,
  ...("stage" in plan && plan.stage < stages && { stage: plan.stage + 1, of: stages }),
});

/** One line of the audit. */
function recordOf(
  rollout: string,
  { action, reason, ...own }: Extract<PlanEffect, { type: "audit" }>,
  { nowMs, who, auditId, ...caused }: StepContext,
): Audit {
  const detail = own.detail ?? caused.detail;
  return { format: FORMAT, id: auditId(), atMs: nowMs, rollout, action, who, reason, ...(detail === undefined ? {} : { detail }) };
}

/** Adds an answer, newest last; the oldest make room. */
export const withReply = (live: LiveState, reply: Reply): LiveState => ({
  ...live,
  commands: [...live.commands, { id: reply.id, reply }].slice(-MAX_REPLIES),
});

/** The answer that this command already got; undefined for a new one. */
export const replyTo = (live: LiveState, id: string): Reply | undefined => live.commands.find((command) => command.id === id)?.reply;

/** Without the records that reached the audit stream; the oldest are given up when it is away for too long, never a step. */
export function withoutSent(live: LiveState, sent: ReadonlySet<string>): Readonly<{ live: LiveState; lost: number }> {
  const waiting = live.outbox.filter(({ id }) => !sent.has(id));
  const outbox = waiting.slice(-MAX_OUTBOX);
  return { live: { ...live, outbox }, lost: waiting.length - outbox.length };
}

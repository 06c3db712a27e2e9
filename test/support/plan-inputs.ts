import type { PlanState } from "../../src/contract/live.ts";
import { type Rollout, type RolloutInput, RolloutSchema } from "../../src/contract/rollout.ts";
import { plan } from "../../src/core/plan/plan.ts";
import type { Hold, PlanInput, PlanStep } from "../../src/core/plan/types.ts";

/** Three stages of 5 %, 25 % and 50 %, each a minute and 100 outcomes. */
export const rollout: Rollout = RolloutSchema.parse({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name: "checkout",
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "v1" }, canary: { cluster: "v2" } },
  strategy: {
    type: "canary",
    stages: ["5%", "25%", "50%"].map((share) => ({ share, minTime: "60s", minSample: 100 })),
  },
});

/** The same with a ramp: 1 % to begin with, 5 minutes at least and an hour at most, then 95 % for 30 minutes. */
export const rampRollout: Rollout = RolloutSchema.parse({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name: "checkout",
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "v1" }, canary: { cluster: "v2" } },
  strategy: { type: "canary", ramp: { start: "1%" } },
});

const document = {
  apiVersion: "serin/v1",
  kind: "Rollout",
  name: "checkout",
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "v1" }, canary: { cluster: "v2" } },
} as const;
/** The same head with another strategy. */
export const withStrategy = (strategy: RolloutInput["strategy"], more: Partial<RolloutInput> = {}): Rollout =>
  RolloutSchema.parse({ ...document, ...more, strategy });
const mirror = { cluster: "v2", share: "10%" };

/** One rollout of each strategy that is no plain canary, and of each of its forms. */
export const strategies = {
  byHand: withStrategy({ type: "blueGreen" }),
  byOrder: withStrategy({ type: "blueGreen", preview: { promote: { after: "10m" } }, keepWarm: "1h" }),
  onVerdict: withStrategy({ type: "blueGreen", preview: { promote: { onVerdict: { minTime: "60s", minSample: 100 } } } }),
  test: withStrategy(
    { type: "abTest", shares: { b: "20%", canary: "30%" }, time: "14d" },
    { variants: { stable: { cluster: "v1" }, canary: { cluster: "v2" }, b: { cluster: "v3" } } },
  ),
  testThenStable: withStrategy({ type: "abTest", shares: { canary: "30%" }, time: "1h", atEnd: "stable" }),
  toggle: withStrategy(
    { type: "toggle", share: "20%", staleAfter: "7d" },
    { variants: { stable: { tags: { "x-serin-new": "no" } }, canary: { tags: { "x-serin-new": "yes" } } } },
  ),
  rolling: withStrategy({ type: "rolling", by: "zone", minTime: "60s", minSample: 100 }),
  rollingHalf: withStrategy({ type: "rolling", by: "zone", share: "50%", minTime: "60s", minSample: 100, onUnhealthy: "rollback" }),
  mirror: withStrategy({ type: "mirror", shadow: { minTime: "60s", minSample: 100 }, stages: [{ share: "5%" }] }, { mirror }),
  mirrorRamp: withStrategy({ type: "mirror", shadow: { minTime: "60s", minSample: 100 }, ramp: { start: "1%" } }, { mirror }),
} as const satisfies Record<string, Rollout>;

export type StrategyName = keyof typeof strategies;

export const SINCE_MS = 1_000_000;

const served = { run: 7, firstRun: 5, sinceMs: SINCE_MS };

/** One state of each phase; `stage` is the second, begun 10 s after it was entered. */
export const states = {
  pending: { phase: "pending", ...served },
  stage: { phase: "stage", ...served, stage: 1, begunAtMs: SINCE_MS + 10_000 },
  unbegun: { phase: "stage", ...served, stage: 1, begunAtMs: null },
  lastStage: { phase: "stage", ...served, stage: 2, begunAtMs: SINCE_MS + 10_000 },
  paused: { phase: "paused", ...served, stage: 1, reason: "lunch" },
  pausedAtFull: { phase: "paused", ...served, stage: 3, reason: "lunch" },
  promoting: { phase: "promoting", ...served },
  promoted: { phase: "promoted", ...served, overdue: false },
  overdue: { phase: "promoted", ...served, overdue: true },
  rollingBack: { phase: "rollingBack", ...served, reason: "errors" },
  rollingBackWithout: { phase: "rollingBack", ...served, reason: "errors", missing: ["s1", "s2"] },
  retreating: {
    phase: "rollingBack",
    ...served,
    reason: "errors",
    changedAtMs: SINCE_MS,
    left: { shareBp: 3_000, begunAtMs: SINCE_MS + 1_000 },
  },
  rolledBack: { phase: "rolledBack", ...served, reason: "errors", stragglers: ["s1", "s2"] },
  handedOver: { phase: "handedOver", ...served },
} as const satisfies Record<string, PlanState>;

/** States of a ramp that has its share since it began. */
const ramping = { phase: "ramp", ...served, changedAtMs: SINCE_MS, begunAtMs: SINCE_MS } as const;

export const rampStates = {
  ramp: { ...ramping, shareBp: 2_000 },
  unbegun: { ...ramping, shareBp: 2_000, begunAtMs: null },
  atCap: { ...ramping, shareBp: 5_000 },
  holdback: { phase: "holdback", ...served, begunAtMs: SINCE_MS },
  holdbackUnbegun: { phase: "holdback", ...served, begunAtMs: null },
  paused: { phase: "paused", ...served, stage: 0, shareBp: 2_000, reason: "lunch" },
  pausedAtHoldback: { phase: "paused", ...served, stage: 1, reason: "lunch" },
  pausedAtFull: { phase: "paused", ...served, stage: 2, reason: "lunch" },
  promoting: { phase: "promoting", ...served },
} as const satisfies Record<string, PlanState>;

export type StateName = keyof typeof states;

/** States that only some strategies have. */
export const strategyStates = {
  preview: { phase: "preview", ...served },
  shadow: { phase: "shadow", ...served },
  trial: { phase: "trial", ...served, begunAtMs: SINCE_MS },
  trialUnbegun: { phase: "trial", ...served, begunAtMs: null },
  decision: { phase: "decision", ...served },
  on: { phase: "on", ...served, begunAtMs: SINCE_MS, overdue: false },
  onUnbegun: { phase: "on", ...served, begunAtMs: null, overdue: false },
  stale: { phase: "on", ...served, begunAtMs: SINCE_MS, overdue: true },
  firstGroup: { phase: "group", ...served, groups: ["a", "b", "c"], group: 0, begunAtMs: SINCE_MS },
  secondGroup: { phase: "group", ...served, groups: ["a", "b", "c"], group: 1, begunAtMs: SINCE_MS },
  groupUnbegun: { phase: "group", ...served, groups: ["a", "b", "c"], group: 0, begunAtMs: null },
  lastGroup: { phase: "group", ...served, groups: ["a", "b", "c"], group: 2, begunAtMs: SINCE_MS },
  onlyGroup: { phase: "group", ...served, groups: ["a"], group: 0, begunAtMs: SINCE_MS },
  pausedPreview: { phase: "paused", ...served, stage: 0, from: "preview", reason: "lunch" },
  pausedShadow: { phase: "paused", ...served, stage: 0, from: "shadow", reason: "lunch" },
  pausedGroup: { phase: "paused", ...served, stage: 0, from: "group", groups: ["a", "b", "c"], group: 0, reason: "lunch" },
  pausedAtFull: { phase: "paused", ...served, stage: 1, reason: "lunch" },
  pending: { phase: "pending", ...served },
  promoted: { phase: "promoted", ...served, overdue: false },
} as const satisfies Record<string, PlanState>;

/** Of verdicts without any evidence for harm. */
export const calm = { odds: 0.5, alpha: 0.01 } as const;

/** Who asks, as far as anybody knows. */
export const who = { name: "ann", claimed: true } as const;

/** One event of each kind that a test does not care to vary. */
export const events = {
  tick: { type: "tick" },
  confirmed: { type: "receipts", missing: [] },
  missing: { type: "receipts", missing: ["s1"] },
  advance: { type: "verdict", verdict: "advance", safeShareBp: 10_000, runSample: 100, reason: "fine", ...calm },
  hold: { type: "verdict", verdict: "hold", safeShareBp: 10_000, runSample: 100, reason: "wait", ...calm },
  unknown: { type: "verdict", verdict: "unknown", safeShareBp: 0, runSample: 0, reason: "no data", ...calm },
  rollback: { type: "verdict", verdict: "rollback", safeShareBp: 0, runSample: 100, reason: "errors", odds: 120, alpha: 0.01 },
  promote: { type: "promote", full: false, who },
  promoteFull: { type: "promote", full: true, who },
  pause: { type: "pause", who, reason: "lunch" },
  resume: { type: "resume", who },
  abort: { type: "abort", who, reason: "wrong build" },
  retry: { type: "retry", who },
  undo: { type: "undo", who },
  handover: { type: "handover", who },
} as const satisfies Record<string, PlanInput>;

export type EventName = keyof typeof events;

/** One step of the machine with the deadlines of production, `afterMs` after the state was entered. */
export const stepOf = (state: PlanState, event: PlanInput, afterMs = 0, holds: readonly Hold[] = []): PlanStep =>
  plan(rollout, state, event, { nowMs: SINCE_MS + afterMs, holds });

/** The same of the rollout with a ramp. */
export const rampStepOf = (state: PlanState, event: PlanInput, afterMs = 0, holds: readonly Hold[] = []): PlanStep =>
  plan(rampRollout, state, event, { nowMs: SINCE_MS + afterMs, holds });

/** A step in short: the phase (and stage), the share that it sets, and the audit's actions; or the refusal. */
export function summary(step: PlanStep): string {
  if (!step.ok) return `refused: ${step.refusal}`;
  const { state, effects } = step;
  const where = "stage" in state ? `${state.phase} ${state.stage}` : state.phase;
  const what = effects.map((effect) => {
    switch (effect.type) {
      case "serve":
        return `serve ${effect.shareBp}${effect.off ? " off" : ""} as run ${effect.run}`;
      case "remove":
        return "remove";
      case "audit":
        return effect.action;
    }
  });
  return [`${where}, run ${state.run}`, ...what].join("; ");
}

/** One step of a rollout with this strategy. */
export const strategyStepOf = (name: StrategyName, state: PlanState, event: PlanInput, afterMs = 0): PlanStep =>
  plan(strategies[name], state, event, { nowMs: SINCE_MS + afterMs });

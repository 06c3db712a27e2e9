import { createHash } from "node:crypto";
import { stagesOf } from "../contract/course.ts";
import type { PlanState } from "../contract/live.ts";
import { isEnded } from "../core/plan/ended.ts";
import type { SpanIds, SpanRecord } from "../io/spans.ts";
import type { OnCourse } from "./course-counts.ts";
import { stageOf } from "./course-counts.ts";
import type { Judging } from "./judging.ts";

type Traced = OnCourse & { readonly judging: Pick<Judging, "state"> };

/**
 * Spans that are over when a rollout has moved on from where it stood: that of the phase, and at its end that of the rollout. Their ids
 * follow from names, runs and begins (a pause comes back to the same run), so that whoever leads sends the same ones.
 */
export function spansAfter(seat: Traced, before: PlanState, nowMs: number): SpanRecord[] {
  const { plan, shareBp } = seat.live;
  if (plan.phase === before.phase && plan.run === before.run) return [];
  const [root, attempt] = [rootOf(seat.name, before.firstRun), attemptOf(seat.name, before)];
  const stage = stageOf(before, stagesOf(seat.rollout.strategy).length);
  const about = { "serin.rollout": seat.name, "serin.attempt": before.firstRun };
  const phase: SpanRecord = {
    name: stage === 0 ? before.phase : `${before.phase} ${stage}`,
    startMs: Math.min(before.sinceMs, nowMs),
    endMs: nowMs,
    attributes: { ...about, "serin.phase": before.phase, "serin.run": before.run, ...(stage > 0 && { "serin.stage": stage }) },
    ids: { traceId: root.traceId, spanId: idOf(`${attempt} ${before.run} ${before.phase} ${before.sinceMs}`, 8) },
    parent: root,
  };
  if (isEnded(before.phase)) return [];
  if (!isEnded(plan.phase)) return [phase];
  const isGood = plan.phase === "handedOver";
  const whole: SpanRecord = {
    name: `rollout ${seat.name}`,
    startMs: Math.min(seat.judging.state.sinceMs, before.sinceMs),
    endMs: nowMs,
    attributes: {
      ...about,
      "deployment.name": seat.name,
      "deployment.id": attempt,
      "deployment.status": isGood ? "succeeded" : "failed",
      "serin.run": plan.run,
      "serin.share": shareBp / 10_000,
    },
    ids: root,
    ...("reason" in plan && { error: plan.reason }),
  };
  return [phase, whole];
}

const attemptOf = (rollout: string, { firstRun }: Pick<PlanState, "firstRun">): string => `${rollout}/${firstRun}`;

/** The span of an attempt. */
const rootOf = (rollout: string, firstRun: number): SpanIds => {
  const attempt = attemptOf(rollout, { firstRun });
  return { traceId: idOf(`trace ${attempt}`, 16), spanId: idOf(`span ${attempt}`, 8) };
};

const idOf = (text: string, bytes: number): string =>
  createHash("sha256")
    .update(text)
    .digest("hex")
    .slice(0, 2 * bytes);

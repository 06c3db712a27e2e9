import { courseOf } from "../../contract/course.ts";
import { type PlainState, servedPhase } from "../../contract/live.ts";
import type { RolloutPicture } from "../../contract/picture.ts";
import { duration, share } from "../../told/format.ts";
import type { Line } from "./lines.ts";

/** Steps shown at once: more would leave no room for the rest. */
const MOST = 8;

interface Step {
  readonly text: string;
  /** Shortest time in it, in milliseconds. */
  readonly minTimeMs: number;
  /** Fewest outcomes of the canary in it. */
  readonly minSample: number;
}

/** The stages or groups of a rollout, with what the one in force still waits for; nothing where its strategy has none. */
export function stepLines(rollout: RolloutPicture, nowMs: number): Line[] {
  const { steps, current } = stepsOf(rollout);
  const from = Math.max(0, Math.min(current - Math.floor(MOST / 2), steps.length - MOST));
  return steps.slice(from, from + MOST).map((step, index) => stepLine(step, from + index, { current, rollout, nowMs }));
}

function stepsOf({ plan, strategy }: RolloutPicture): { steps: Step[]; current: number } {
  const served = servedPhase(plan);
  if (strategy === undefined) return { steps: [], current: 0 };
  const { stages, rolling } = courseOf(strategy);
  if ("groups" in served && served.groups !== undefined) {
    const { minTime: minTimeMs, minSample } = rolling;
    return { steps: served.groups.map((group) => ({ text: group, minTimeMs, minSample })), current: served.group ?? 0 };
  }
  const steps = stages.map((stage) => ({ text: share(stage.share), minTimeMs: stage.minTime, minSample: stage.minSample }));
  return { steps, current: currentStage(served, steps.length) };
}

/** Number of stages that lie behind; -1 where none has begun, or the way goes back. */
function currentStage(served: PlainState, stages: number): number {
  if (served.phase === "stage" || served.phase === "paused") return served.stage;
  return ["promoting", "promoted", "handedOver"].includes(served.phase) ? stages : -1;
}

interface At {
  readonly current: number;
  readonly rollout: RolloutPicture;
  readonly nowMs: number;
}

function stepLine({ text, minTimeMs, minSample }: Step, index: number, { current, rollout, nowMs }: At): Line {
  const name = `${index + 1}. ${text.padEnd(8)}`;
  if (index < current)
    return [
      ["  ✓ ", "green"],
      [name, "dim"],
    ];
  const least = `  at least ${duration(minTimeMs)}, ${minSample} outcomes`;
  if (index > current)
    return [
      ["    ", "dim"],
      [`${name}${least}`, "dim"],
    ];
  return ["  ▶ ", [name, "bold"], `  ${waitsFor(rollout, { minTimeMs, minSample, nowMs }) ?? least.trim()}`];
}

/** What the step in force waits for beside its verdict; undefined while it has not begun. */
function waitsFor(
  { plan, judge }: RolloutPicture,
  { minTimeMs, minSample, nowMs }: Omit<Step, "text"> & { readonly nowMs: number },
): string | undefined {
  if (!("begunAtMs" in plan) || plan.begunAtMs === null) return undefined;
  const leftMs = plan.begunAtMs + minTimeMs - nowMs;
  const sample = judge?.verdict?.run === plan.run ? judge.verdict.runSample : 0;
  const time = leftMs > 0 ? `${duration(leftMs)} left of ${duration(minTimeMs)}` : `${duration(minTimeMs)} are over`;
  return `${time}, ${sample} of ${minSample} outcomes`;
}

import type { Attributes } from "@opentelemetry/api";
import { stagesOf } from "../contract/course.ts";
import { type LiveState, type PlanState, servedPhase } from "../contract/live.ts";
import { METRICS } from "../contract/names.ts";
import type { Rollout } from "../contract/rollout.ts";
import { isEnded } from "../core/plan/ended.ts";
import type { Reading } from "../io/metric-points.ts";
import type { Judging } from "./judging.ts";

/** A rollout as far as its course is counted. */
export interface OnCourse {
  readonly name: string;
  readonly rollout: Rollout;
  readonly live: LiveState;
  readonly judging: Pick<Judging, "tally">;
}

interface Counted {
  /** Until when time was added up, Unix milliseconds. */
  untilMs: number;
  promotions: number;
  rollbacks: number;
  saved: number;
  /** By their labels as text. */
  readonly times: Map<string, { readonly attributes: Attributes; seconds: number }>;
}

/** Counts what rollouts go through under this leader: when one moves, and when somebody looks. */
export class CourseCounts {
  readonly #nowMs: () => number;
  readonly #counted = new Map<string, Counted>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** A rollout is there, or begins; what was before is not this leader's. */
  begin({ name }: Pick<OnCourse, "name">): Counted {
    const counted = { untilMs: this.#nowMs(), promotions: 0, rollbacks: 0, saved: 0, times: new Map() };
    this.#counted.set(name, counted);
    return counted;
  }

  /** It stood here before, and stands now where its live state says. */
  moved(seat: OnCourse, before: PlanState): void {
    const counted = this.#counted.get(seat.name) ?? this.begin(seat);
    this.#addTime(seat, counted, before);
    const { phase } = seat.live.plan;
    if (phase === before.phase) return;
    if (phase === "promoted") counted.promotions += 1;
    if (phase !== "rollingBack") return;
    counted.rollbacks += 1;
    counted.saved += savedBy(seat.judging.tally.totals);
  }

  /** It was deleted. */
  forget(name: string): void {
    this.#counted.delete(name);
  }

  /** What was counted of these rollouts. */
  readings(seats: readonly OnCourse[]): Reading[] {
    const all = seats.map((seat) => {
      const counted = this.#counted.get(seat.name) ?? this.begin(seat);
      this.#addTime(seat, counted, seat.live.plan);
      return { rollout: seat.name, counted };
    });
    const of = (name: string, value: (counted: Counted) => number): Reading => ({
      name,
      values: all.map(({ rollout, counted }) => ({ attributes: { rollout }, value: value(counted) })),
    });
    return [
      of(METRICS.promotions, ({ promotions }) => promotions),
      of(METRICS.rollbacks, ({ rollbacks }) => rollbacks),
      of(METRICS.savedRequests, ({ saved }) => saved),
      {
        name: METRICS.rolloutTime,
        values: all.flatMap(({ counted }) =>
          [...counted.times.values()].map(({ attributes, seconds }) => ({ attributes, value: seconds })),
        ),
      },
    ];
  }

  #addTime({ name, rollout }: OnCourse, counted: Counted, plan: PlanState): void {
    const nowMs = this.#nowMs();
    const seconds = Math.max(0, nowMs - counted.untilMs) / 1_000;
    counted.untilMs = nowMs;
    // At rest nothing goes on that would take time.
    if (isEnded(plan.phase)) return;
    const attributes = {
      rollout: name,
      phase: plan.phase,
      stage: String(stageOf(plan, stagesOf(rollout.strategy).length)),
      waiting: String(isWaiting(plan)),
    };
    const key = `${attributes.phase} ${attributes.stage} ${attributes.waiting}`;
    const time = counted.times.get(key) ?? { attributes, seconds: 0 };
    time.seconds += seconds;
    counted.times.set(key, time);
  }
}

/** The stage that a rollout is in, counted from 1; 0 where there is none. */
export function stageOf(plan: PlanState, stages: number): number {
  const served = servedPhase(plan);
  return "stage" in served && served.stage < stages ? served.stage + 1 : 0;
}

/** Phases in which neither time nor evidence leads on. */
const WAITING: ReadonlySet<PlanState["phase"]> = new Set([
  "queued",
  "pending",
  "gate",
  "paused",
  "decision",
  "promoting",
  "promoted",
  "rollingBack",
]);

/** Whether sidecars, people or a freeze are waited for. */
const isWaiting = (plan: PlanState): boolean =>
  WAITING.has(plan.phase) || ("held" in plan && plan.held !== undefined) || ("begunAtMs" in plan && plan.begunAtMs === null);

type Totals = OnCourse["judging"]["tally"]["totals"];

/** What would have failed besides, had the canary answered stable's requests too. */
function savedBy({ stable, canary }: Totals): number {
  if (stable.requests === 0 || canary.requests === 0) return 0;
  const more = canary.failed / canary.requests - stable.failed / stable.requests;
  return Math.max(0, Math.round(more * stable.requests));
}

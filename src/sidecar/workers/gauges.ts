import type { Attributes } from "@opentelemetry/api";
import type { DataPointType } from "@opentelemetry/sdk-metrics";
import { METRICS } from "../../contract/names.ts";
import type { BeatState } from "../beat.ts";
import type { WorkerMetrics } from "./messages.ts";
import { earlier, seriesKey } from "./series-key.ts";

export type WorkerGauge = Extract<WorkerMetrics[number], { dataPointType: DataPointType.GAUGE }>;
type Point = WorkerGauge["dataPoints"][number];

/** How one value is made of the workers' values of a gauge. */
type Rule = "of the furthest behind" | "of the worst state" | "greatest";

/** Each gauge of a sidecar; for users counted once each the greatest is what is certain, for more would count some twice. */
const GAUGE_RULES: Readonly<Record<string, Rule>> = {
  [METRICS.ruleEpoch]: "of the furthest behind",
  [METRICS.ruleRevision]: "of the furthest behind",
  [METRICS.rulesState]: "of the worst state",
  [METRICS.ruleAge]: "greatest",
  [METRICS.failingUsers]: "greatest",
  [METRICS.knownFailingUsers]: "greatest",
};

/** The gauges of several workers as one; their order is of no account. */
export function mergeGauges(workers: readonly (readonly WorkerGauge[])[]): WorkerGauge[] {
  const merged = new Map<string, WorkerGauge & { readonly points: Map<string, Point> }>();
  const behind = furthestBehind(workers);
  const worst = worstState(workers);
  for (const gauges of workers) {
    for (const gauge of gauges) {
      const { name } = gauge.descriptor;
      const into = merged.get(name) ?? { ...gauge, points: new Map<string, Point>() };
      merged.set(name, into);
      const rule = GAUGE_RULES[name] ?? "greatest";
      if (rule === "of the furthest behind" && gauges !== behind) continue;
      for (const point of gauge.dataPoints) {
        if (rule === "of the worst state" && stateOf(point.attributes) !== worst) continue;
        const key = seriesKey(point.attributes);
        into.points.set(key, greater(into.points.get(key), point));
      }
    }
  }
  return [...merged.values()].map(({ points, ...gauge }) => ({ ...gauge, dataPoints: [...points.values()] }));
}

const greater = (one: Point | undefined, other: Point): Point =>
  one === undefined ? other : { ...(one.value >= other.value ? one : other), startTime: earlier(one.startTime, other.startTime) };

/** Epoch and revision only mean something together. */
function furthestBehind(workers: readonly (readonly WorkerGauge[])[]): readonly WorkerGauge[] | undefined {
  const valueOf = (gauges: readonly WorkerGauge[], name: string): number =>
    gauges.find(({ descriptor }) => descriptor.name === name)?.dataPoints[0]?.value ?? 0;
  return workers.toSorted(
    (a, b) =>
      valueOf(a, METRICS.ruleEpoch) - valueOf(b, METRICS.ruleEpoch) || valueOf(a, METRICS.ruleRevision) - valueOf(b, METRICS.ruleRevision),
  )[0];
}

const STATES: readonly BeatState[] = ["ok", "stale", "unwatched"];
const stateOf = (attributes: Attributes): number => STATES.findIndex((state) => state === attributes["state"]);

function worstState(workers: readonly (readonly WorkerGauge[])[]): number {
  const gauges = workers.flat().filter(({ descriptor }) => descriptor.name === METRICS.rulesState);
  return Math.max(-1, ...gauges.flatMap(({ dataPoints }) => dataPoints.map(({ attributes }) => stateOf(attributes))));
}

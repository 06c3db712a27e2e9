import type { Attributes } from "@opentelemetry/api";
import type { DataPointType } from "@opentelemetry/sdk-metrics";
import { METRICS } from "../../contract/names.ts";
import type { BeatState } from "../beat.ts";
import type { WorkerMetrics } from "./messages.ts";
import { earlier, seriesKey } from "./series-key.ts";

export type WorkerGauge = Extract<WorkerMetrics[number], { dataPointType: DataPointType.GAUGE }>;
type Point = WorkerGauge["dataPoints"][number];

/** How one value is made of the workers' values of a gauge. */
type Rule = "of the furthest behind" | "of the worst state" | "greatest" | "least" | "sum" | "mean";

/**
 * Gauges of a sidecar that are not the greatest of all; for users counted once each the greatest is what is certain, for more would count
 * some twice. Each worker has as many requests as another, more or less, so that their mean is the share that was seen.
 */
const GAUGE_RULES: Readonly<Record<string, Rule>> = {
  [METRICS.ruleEpoch]: "of the furthest behind",
  [METRICS.ruleRevision]: "of the furthest behind",
  [METRICS.rulesSince]: "of the furthest behind",
  [METRICS.rulesState]: "of the worst state",
  [METRICS.natsConnected]: "least",
  [METRICS.streamsOpen]: "sum",
  [METRICS.shareSet]: "mean",
  [METRICS.shareSeen]: "mean",
};

/** The gauges of several workers as one; their order is of no account. */
export function mergeGauges(workers: readonly (readonly WorkerGauge[])[]): WorkerGauge[] {
  const merged = new Map<string, { readonly gauge: WorkerGauge; readonly points: Map<string, Point[]> }>();
  const behind = furthestBehind(workers);
  const worst = worstState(workers);
  for (const gauges of workers) {
    for (const gauge of gauges) {
      const { name } = gauge.descriptor;
      const into = merged.get(name) ?? { gauge, points: new Map<string, Point[]>() };
      merged.set(name, into);
      if (ruleOf(name) === "of the furthest behind" && gauges !== behind) continue;
      for (const point of gauge.dataPoints) {
        if (ruleOf(name) === "of the worst state" && stateOf(point.attributes) !== worst) continue;
        const key = seriesKey(point.attributes);
        into.points.set(key, [...(into.points.get(key) ?? []), point]);
      }
    }
  }
  return [...merged.values()].map(({ gauge, points }) => ({
    ...gauge,
    dataPoints: [...points.values()].map((each) => onePoint(ruleOf(gauge.descriptor.name), each)),
  }));
}

const ruleOf = (name: string): Rule => GAUGE_RULES[name] ?? "greatest";

function onePoint(rule: Rule, points: readonly Point[]): Point {
  const [first, ...others] = points.toSorted((a, b) => b.value - a.value);
  if (first === undefined) throw new Error("a series without a point");
  const startTime = others.reduce((start, each) => earlier(start, each.startTime), first.startTime);
  return {
    ...first,
    startTime,
    value: valueBy(
      rule,
      points.map(({ value }) => value),
    ),
  };
}

function valueBy(rule: Rule, values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  switch (rule) {
    case "sum":
      return sum;
    case "mean":
      return sum / values.length;
    case "least":
      return Math.min(...values);
    case "greatest":
    case "of the furthest behind":
    case "of the worst state":
      return Math.max(...values);
  }
}

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

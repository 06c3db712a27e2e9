import type { MetricData } from "@opentelemetry/sdk-metrics";
import { METRICS } from "../contract/names.ts";
import type { ConnectionStanding } from "../io/connection-standing.ts";
import { distributionMetric, metricOf, type Reading, reading } from "../io/metric-points.ts";
import { isShown, rolloutGauges } from "./gauges.ts";
import type { Term } from "./term.ts";

/** A controller as its metrics show it. */
export interface Measured {
  isLeader(): boolean;
  /** The time in office; undefined for a standby. */
  readonly term: Term | undefined;
  readonly connection: ConnectionStanding;
}

/** What a controller shows of itself, in parts that are made as they are asked for; undefined before NATS was reached. */
export function* metricsOf(controller: Measured | undefined, nowMs: number): Generator<MetricData> {
  const isLeader = controller?.isLeader() === true;
  const span = { startMs: nowMs, nowMs };
  yield metricOf(reading(METRICS.controllerLeader, Number(isLeader)), span);
  for (const each of controller?.connection.readings() ?? []) yield metricOf(each, span);
  const term = isLeader ? controller.term : undefined;
  if (term === undefined) return;
  const { measures } = term;
  const inOffice = { startMs: measures.sinceMs, nowMs };
  yield distributionMetric(METRICS.tickDuration, measures.ticks, inOffice);
  for (const each of fleetReadings(term)) yield metricOf(each, inOffice);
  const rollouts = measures.rollouts().filter((each) => isShown(each, nowMs));
  for (const each of measures.courses.readings(rollouts)) yield metricOf(each, inOffice);
  for (const each of rolloutGauges(rollouts, nowMs)) yield metricOf(each, inOffice);
}

function fleetReadings({ measures, policy }: Term): Reading[] {
  const { states, behind } = measures.fleet();
  return [
    reading(METRICS.publishedRevision, measures.published.revision),
    { name: METRICS.fleetSidecars, values: Object.entries(states).map(([state, value]) => ({ attributes: { state }, value })) },
    reading(METRICS.fleetBehind, behind),
    reading(METRICS.frozen, Number(policy.isFrozen)),
  ];
}

import { METRICS } from "../../src/contract/names.ts";
import { BESIDE_STABLE, ENVOY_METRICS, known, type Metric, ratio, series, sumBy } from "./promql.ts";

/** A recorded series, in Prometheus' own words. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** An alert, in Prometheus' own words. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: "critical" | "warning" | "info" };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

/** Names of what is recorded: level, metric, operations. */
export const RECORDED = {
  rescued: "rollout_variant:serin_rescued:ratio_rate5m",
  failedOpen: "job:serin_failed_open:ratio_rate5m",
  failedOpenByEnvoy: "job:envoy_failed_open:ratio_rate5m",
  shareSeen: "rollout_variant:serin_share_seen:avg",
  shareSet: "rollout_variant:serin_share_set:avg",
  decidedByShare: "rollout:serin_decisions_by_share:increase10m",
} as const;

const rate5m = (labels: string, metric: Metric, ...matchers: string[]): string => sumBy(labels, `rate(${series(metric, matchers)}[5m])`);
const byShare10m = (labels: string): string => sumBy(labels, `increase(${series(METRICS.decisions, ['reason="share"'])}[10m])`);

/** Mean over sidecars, each weighed by its decisions: one that saw a single user says next to nothing. */
function weighed(metric: Metric): string {
  const times = (matchers: string[]): string =>
    `${series(metric, matchers)} * on (job, instance, rollout) group_left () ${byShare10m("job, instance, rollout")}`;
  // The shares of all variants are 1 in sum.
  return known(`${sumBy("rollout, variant", times([BESIDE_STABLE]))} / on (rollout) group_left () ${sumBy("rollout", times([]))}`);
}

const ENVOY_UNDECIDED = rate5m("job", ENVOY_METRICS.failedOpen);
/** Envoy begins no stream where it knows no sidecar that lives. */
const ENVOY_ASKED = `(${rate5m("job", ENVOY_METRICS.streamsStarted)} > ${ENVOY_UNDECIDED} or ${ENVOY_UNDECIDED})`;

export const RECORDING_RULES: readonly RecordingRule[] = [
  {
    record: RECORDED.rescued,
    expr: ratio(rate5m("rollout, variant", METRICS.rescued, BESIDE_STABLE), rate5m("rollout, variant", METRICS.outcomes, BESIDE_STABLE)),
  },
  {
    record: RECORDED.failedOpen,
    // Told by sidecars that get Envoy's log: a request without a stream is none of theirs.
    expr: known(`${rate5m("job", METRICS.failedOpen)} / (${rate5m("job", METRICS.failedOpen)} + ${rate5m("job", METRICS.streams)})`),
  },
  { record: RECORDED.failedOpenByEnvoy, expr: known(`${ENVOY_UNDECIDED} / ${ENVOY_ASKED}`) },
  { record: RECORDED.shareSeen, expr: weighed(METRICS.shareSeen) },
  { record: RECORDED.shareSet, expr: weighed(METRICS.shareSet) },
  { record: RECORDED.decidedByShare, expr: byShare10m("rollout") },
];

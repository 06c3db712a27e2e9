import { METRICS } from "../../src/contract/names.ts";
import { known, type Metric, ratio, series, sumBy } from "./promql.ts";

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
  rescued: "rollout:serin_rescued:ratio_rate5m",
  failedOpen: "job:serin_failed_open:ratio_rate5m",
  shareSeen: "rollout:serin_share_seen:avg",
  shareSet: "rollout:serin_share_set:avg",
  decidedByShare: "rollout:serin_decisions_by_share:increase10m",
} as const;

const rate5m = (labels: string, metric: Metric, ...matchers: string[]): string => sumBy(labels, `rate(${series(metric, matchers)}[5m])`);
const CANARY = 'variant="canary"';

export const RECORDING_RULES: readonly RecordingRule[] = [
  {
    record: RECORDED.rescued,
    expr: ratio(rate5m("rollout", METRICS.rescued, CANARY), rate5m("rollout", METRICS.outcomes, CANARY)),
  },
  {
    record: RECORDED.failedOpen,
    // Where no sidecar is reached, no stream begins.
    expr: known(`${rate5m("job", METRICS.failedOpen)} / (${rate5m("job", METRICS.failedOpen)} + ${rate5m("job", METRICS.streams)})`),
  },
  { record: RECORDED.shareSeen, expr: `avg by (rollout) (${series(METRICS.shareSeen, [CANARY])})` },
  { record: RECORDED.shareSet, expr: `avg by (rollout) (${series(METRICS.shareSet, [CANARY])})` },
  { record: RECORDED.decidedByShare, expr: sumBy("rollout", `increase(${series(METRICS.decisions, ['reason="share"'])}[10m])`) },
];

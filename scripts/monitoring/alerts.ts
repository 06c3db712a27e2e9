import { METRICS } from "../../src/contract/names.ts";
import { ENVOY_METRICS, type Metric, maxBy, series } from "./promql.ts";
import { type AlertRule, RECORDED } from "./rules.ts";

type Severity = AlertRule["labels"]["severity"];

interface AlertFacts {
  readonly name: string;
  readonly severity: Severity;
  readonly expr: string;
  /** How long it must hold before it is told; at once when absent. */
  readonly lasts?: string;
  /** One line, with the rollout's or the program's name. */
  readonly summary: string;
  /** What it means, with the value. */
  readonly description: string;
  /** Page in docs/runbooks. */
  readonly page: string;
}

const of = (labels: string, metric: Metric, ...matchers: string[]): string => maxBy(labels, series(metric, matchers));
const phase = (names: string): string => of("rollout", METRICS.rolloutPhase, `phase=~"${names}"`);

/** Phases in which outcomes of a canary are waited for. */
const JUDGED = "stage|ramp|holdback|trial|group";
/** Phases in which a canary can have users for as long as people like: those in which they are waited for as well. */
const WATCHED = `${JUDGED}|gate|paused|decision`;

const OF_ROLLOUTS: readonly AlertFacts[] = [
  {
    name: "SerinRolledBack",
    severity: "warning",
    expr: `${phase("rollingBack|rolledBack")} == 1 and on (rollout) ${of("rollout", METRICS.rolloutPhaseAge)} < 3600`,
    summary: "Rollout {{ $labels.rollout }} was taken back",
    description: "Everyone is on stable again. Told for an hour.",
    page: "rolled-back",
  },
  {
    name: "SerinRolloutStuck",
    severity: "warning",
    expr: `(${[
      `${phase("pending|promoting|rollingBack")} == 1 and on (rollout) ${of("rollout", METRICS.rolloutPhaseAge)} > 300`,
      `${of("rollout", METRICS.rolloutStragglers)} > 0`,
      `${phase(JUDGED)} == 1 and on (rollout) ${of("rollout", METRICS.rolloutPhaseAge)} > 21600 and on (rollout) ${of("rollout", METRICS.rolloutVerdict, 'verdict!="advance"')} == 1`,
    ]
      .map((one) => `(${one})`)
      .join(" or ")}) unless on (rollout) ${of("rollout", METRICS.rolloutHeld)} == 1`,
    lasts: "5m",
    summary: "Rollout {{ $labels.rollout }} does not get on",
    description: "It waits for sidecars that do not confirm, or has been in one stage for 6 hours without evidence to go on or back.",
    page: "stuck",
  },
  {
    name: "SerinRolloutBlind",
    severity: "critical",
    expr: `${phase(WATCHED)} == 1 and on (rollout) ${of("rollout", METRICS.rolloutShare)} > 0 unless on (rollout) ${of("rollout", METRICS.rolloutEvidenceAge)} < 300`,
    lasts: "5m",
    summary: "Nobody can tell how the canary of {{ $labels.rollout }} is",
    description: "It has users, and for 5 minutes no outcome of it was judged.",
    page: "blind",
  },
  {
    name: "SerinRescueRateHigh",
    severity: "warning",
    expr: `${RECORDED.rescued} > 0.05`,
    lasts: "5m",
    summary: "Stable answers for {{ $labels.variant }} of {{ $labels.rollout }}",
    description:
      "{{ $value | humanizePercentage }} of its requests failed there and were answered by stable. Users wait longer; requests that are not safe to repeat fail.",
    page: "rescue-rate-high",
  },
  {
    name: "SerinShareSkew",
    severity: "warning",
    expr: `abs(${RECORDED.shareSeen} - ${RECORDED.shareSet}) > 0.02 + 0.2 * ${RECORDED.shareSet} * (1 - ${RECORDED.shareSet}) and on (rollout) ${RECORDED.decidedByShare} > 1000`,
    lasts: "10m",
    summary: "{{ $labels.variant }} of {{ $labels.rollout }} gets another share than it should",
    description:
      "Share seen and share set are apart for 10 minutes by more than chance, among requests decided by share. What is compared may not be comparable.",
    page: "share-skew",
  },
  {
    name: "SerinBudgetNearlySpent",
    severity: "warning",
    expr: `${of("rollout, kind", METRICS.blastRadiusSpent)} / (${of("rollout, kind", METRICS.blastRadiusAllowed)} > 0) > 0.8`,
    summary: "The canary of {{ $labels.rollout }} has nearly cost what it may",
    description: "{{ $value | humanizePercentage }} of the allowed {{ $labels.kind }} are spent; at 100 % it rolls back.",
    page: "budget-nearly-spent",
  },
  {
    name: "SerinClusterMissing",
    severity: "critical",
    expr: `sum by (rollout) (rate(${series(METRICS.clusterMissing)}[5m])) > 0`,
    lasts: "2m",
    summary: "Envoy does not know the canary's cluster of {{ $labels.rollout }}",
    description: "The canary is decided and another cluster answers. Nothing is learned of it.",
    page: "cluster-missing",
  },
  {
    name: "SerinHandoverOverdue",
    severity: "warning",
    expr: `${of("rollout", METRICS.rolloutOverdue)} == 1`,
    summary: "Rollout {{ $labels.rollout }} waits for its hand-over",
    description: "It was promoted, and the old stable is still the way out of every failure: it must stay up.",
    page: "handover-overdue",
  },
];

const OF_THE_FLEET: readonly AlertFacts[] = [
  {
    name: "SerinUnwatched",
    severity: "critical",
    expr: `count by (job) (${series(METRICS.rulesState, ['state="unwatched"'])} == 1) > 0`,
    lasts: "30s",
    summary: "No controller watches",
    description:
      "{{ $value }} sidecars of {{ $labels.job }} have heard no controller for 30 s: shares are at stable, or stay unwatched where `onUnwatched: hold` says so.",
    page: "unwatched",
  },
  {
    name: "SerinRulesStale",
    severity: "warning",
    expr: `${series(METRICS.rulesState, ['state="stale"'])} == 1`,
    lasts: "15s",
    summary: "{{ $labels.instance }} has not heard a controller for 5 s",
    description: "Nothing grows while it lasts. After 30 s shares go to stable.",
    page: "rules-stale",
  },
  {
    name: "SerinFleetSplit",
    severity: "critical",
    expr: `max(${series(METRICS.fleetBehind)}) > 0`,
    lasts: "2m",
    summary: "Sidecars obey different rules",
    description: "{{ $value }} sidecars obey an older rule set than the one published last, for 2 minutes.",
    page: "fleet-split",
  },
  {
    name: "SerinSidecarSilent",
    severity: "warning",
    expr: `max(${series(METRICS.fleetSidecars, ['state="silent"'])}) > 0`,
    lasts: "2m",
    summary: "Known sidecars say nothing",
    description:
      "{{ $value }} sidecars have not been heard for 2 minutes, and said no goodbye. Growth waits for them, and nobody knows what they do.",
    page: "sidecar-silent",
  },
  {
    name: "SerinFailedOpen",
    severity: "warning",
    expr: `${RECORDED.failedOpen} > 0.001 or ${RECORDED.failedOpenByEnvoy} > 0.001`,
    lasts: "5m",
    summary: "Requests go to stable without a decision",
    description: "{{ $value | humanizePercentage }} of the requests went on undecided: canary users were on stable, and are no evidence.",
    page: "failed-open",
  },
  {
    name: "SerinCertificateExpires",
    severity: "warning",
    expr: `${series(ENVOY_METRICS.daysOfCertificate)} < 14`,
    lasts: "1h",
    summary: "A certificate of {{ $labels.instance }} ends soon",
    description: "Envoy has one that ends in {{ $value }} days.",
    page: "certificates",
  },
];

const ruleOf = ({ name, severity, expr, lasts, summary, description, page }: AlertFacts): AlertRule => ({
  alert: name,
  expr,
  ...(lasts !== undefined && { for: lasts }),
  labels: { severity },
  annotations: { summary, description, runbook_url: `docs/runbooks/${page}.md` },
});

/** Everything that somebody should do something about. */
export const ALERT_RULES: readonly AlertRule[] = [...OF_ROLLOUTS, ...OF_THE_FLEET].map(ruleOf);

import { ENVOY_METRICS, type Metric, series } from "../../scripts/monitoring/promql.ts";
import { METRICS } from "../../src/contract/names.ts";

/** `[series, values]` in promtool's words: `0x9` is ten times 0, `0+60x9` grows by 60. */
type Input = readonly [series: string, values: string];

/** What must fire, or must not, at a time of a history with a point each 15 s. */
export interface Case {
  readonly title: string;
  readonly alert: string;
  readonly input: readonly Input[];
  readonly at: string;
  /** Labels of each alert that fires then, beside its severity. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

const ROLLOUT = 'rollout="a"';
const of = (metric: Metric, value: string | number, ...labels: string[]): Input => [
  series(metric, labels),
  typeof value === "number" ? `${value}x99` : value,
];
const ofA = (metric: Metric, value: string | number, ...labels: string[]): Input => of(metric, value, ROLLOUT, ...labels);
const inPhase = (phase: string): Input => ofA(METRICS.rolloutPhase, 1, `phase="${phase}"`);
const A = [{ rollout: "a" }];

const judged = [inPhase("stage"), ofA(METRICS.rolloutShare, 0.1)];
const skewed = (seen: number, each: string): Input[] => [
  ofA(METRICS.shareSet, 0.1, 'variant="canary"'),
  ofA(METRICS.shareSeen, seen, 'variant="canary"'),
  ofA(METRICS.decisions, `0+${each}x99`, 'reason="share"'),
];
/** At least one for each alert in which it fires, and one in which what looks alike does not. */
export const CASES: readonly Case[] = [
  {
    title: "a way back is told",
    alert: "SerinRolledBack",
    input: [inPhase("rolledBack"), ofA(METRICS.rolloutPhaseAge, "0+15x99")],
    at: "1m",
    fires: A,
  },
  {
    title: "a way back is old news after an hour",
    alert: "SerinRolledBack",
    input: [inPhase("rolledBack"), ofA(METRICS.rolloutPhaseAge, 3_700)],
    at: "1m",
    fires: [],
  },
  {
    title: "a promotion is no way back",
    alert: "SerinRolledBack",
    input: [inPhase("promoted"), ofA(METRICS.rolloutPhaseAge, 5)],
    at: "1m",
    fires: [],
  },
  {
    title: "sidecars that do not confirm hold a rollout up",
    alert: "SerinRolloutStuck",
    input: [ofA(METRICS.rolloutStragglers, 1)],
    at: "6m",
    fires: A,
  },
  { title: "sidecars may take a moment", alert: "SerinRolloutStuck", input: [ofA(METRICS.rolloutStragglers, 1)], at: "4m", fires: [] },
  {
    title: "a promotion under way lasts moments",
    alert: "SerinRolloutStuck",
    input: [inPhase("promoting"), ofA(METRICS.rolloutPhaseAge, 400)],
    at: "6m",
    fires: A,
  },
  {
    title: "six hours without evidence to go on are long",
    alert: "SerinRolloutStuck",
    input: [inPhase("stage"), ofA(METRICS.rolloutPhaseAge, 22_000), ofA(METRICS.rolloutVerdict, 1, 'verdict="hold"')],
    at: "6m",
    fires: A,
  },
  {
    title: "a long stage that may go on is no fault",
    alert: "SerinRolloutStuck",
    input: [inPhase("stage"), ofA(METRICS.rolloutPhaseAge, 22_000), ofA(METRICS.rolloutVerdict, 1, 'verdict="advance"')],
    at: "6m",
    fires: [],
  },
  {
    title: "a canary whose outcomes stopped is not watched by anybody",
    alert: "SerinRolloutBlind",
    input: [...judged, ofA(METRICS.rolloutEvidenceAge, 400)],
    at: "6m",
    fires: A,
  },
  { title: "a canary without any outcome neither", alert: "SerinRolloutBlind", input: judged, at: "6m", fires: A },
  {
    title: "fresh evidence is seen",
    alert: "SerinRolloutBlind",
    input: [...judged, ofA(METRICS.rolloutEvidenceAge, 2)],
    at: "10m",
    fires: [],
  },
  {
    title: "a canary with no user needs no evidence",
    alert: "SerinRolloutBlind",
    input: [inPhase("stage"), ofA(METRICS.rolloutShare, 0)],
    at: "10m",
    fires: [],
  },
  {
    title: "stable answers for the canary too often",
    alert: "SerinRescueRateHigh",
    input: [ofA(METRICS.rescued, "0+10x99", 'variant="canary"'), ofA(METRICS.outcomes, "0+100x99", 'variant="canary"')],
    at: "12m",
    fires: A,
  },
  {
    title: "no rescue is no alarm",
    alert: "SerinRescueRateHigh",
    input: [ofA(METRICS.outcomes, "0+100x99", 'variant="canary"')],
    at: "12m",
    fires: [],
  },
  { title: "a share far from the one set is told", alert: "SerinShareSkew", input: skewed(0.2, "100"), at: "22m", fires: A },
  { title: "a share within chance is none", alert: "SerinShareSkew", input: skewed(0.11, "100"), at: "22m", fires: [] },
  { title: "few decisions say nothing of shares", alert: "SerinShareSkew", input: skewed(0.2, "10"), at: "22m", fires: [] },
  {
    title: "a cost near its limit is told",
    alert: "SerinBudgetNearlySpent",
    input: [ofA(METRICS.blastRadiusSpent, 9, 'kind="failedUsers"'), ofA(METRICS.blastRadiusAllowed, 10, 'kind="failedUsers"')],
    at: "1m",
    fires: [{ rollout: "a", kind: "failedUsers" }],
  },
  {
    title: "half the cost is none",
    alert: "SerinBudgetNearlySpent",
    input: [ofA(METRICS.blastRadiusSpent, 5, 'kind="failedUsers"'), ofA(METRICS.blastRadiusAllowed, 10, 'kind="failedUsers"')],
    at: "1m",
    fires: [],
  },
  {
    title: "a cluster that Envoy lacks is told",
    alert: "SerinClusterMissing",
    input: [ofA(METRICS.clusterMissing, "0+1x99")],
    at: "5m",
    fires: A,
  },
  { title: "an overdue hand-over is told", alert: "SerinHandoverOverdue", input: [ofA(METRICS.rolloutOverdue, 1)], at: "1m", fires: A },
  { title: "a hand-over in time is none", alert: "SerinHandoverOverdue", input: [ofA(METRICS.rolloutOverdue, 0)], at: "1m", fires: [] },
  {
    title: "sidecars that nobody watches are told, once for all",
    alert: "SerinUnwatched",
    input: ["0", "1"].map((id) => of(METRICS.rulesState, 1, 'job="serin"', `instance="${id}"`, 'state="unwatched"')),
    at: "1m",
    fires: [{ job: "serin" }],
  },
  {
    title: "a sidecar that is watched is none",
    alert: "SerinUnwatched",
    input: [of(METRICS.rulesState, 1, 'job="serin"', 'state="ok"')],
    at: "1m",
    fires: [],
  },
  {
    title: "stale rules are told by sidecar",
    alert: "SerinRulesStale",
    input: [of(METRICS.rulesState, 1, 'instance="s:1"', 'state="stale"')],
    at: "1m",
    fires: [{ instance: "s:1", state: "stale" }],
  },
  { title: "sidecars behind split the fleet", alert: "SerinFleetSplit", input: [of(METRICS.fleetBehind, 1)], at: "3m", fires: [{}] },
  { title: "rules take a moment to arrive", alert: "SerinFleetSplit", input: [of(METRICS.fleetBehind, "1x4 0x99")], at: "3m", fires: [] },
  {
    title: "requests without a decision are told",
    alert: "SerinFailedOpen",
    input: [of(METRICS.failedOpen, "0+1x99", 'job="serin"'), of(METRICS.streams, "0+100x99", 'job="serin"')],
    at: "12m",
    fires: [{ job: "serin" }],
  },
  {
    title: "so are they where no sidecar is reached",
    alert: "SerinFailedOpen",
    input: [of(METRICS.failedOpen, "0+1x99", 'job="serin"'), of(METRICS.streams, 5, 'job="serin"')],
    at: "12m",
    fires: [{ job: "serin" }],
  },
  {
    title: "an idle system fails nothing open",
    alert: "SerinFailedOpen",
    input: [of(METRICS.failedOpen, 7, 'job="serin"'), of(METRICS.streams, 5, 'job="serin"')],
    at: "12m",
    fires: [],
  },
  {
    title: "a certificate near its end is told",
    alert: "SerinCertificateExpires",
    input: [of(ENVOY_METRICS.daysOfCertificate, "9x300", 'instance="e:1"')],
    at: "61m",
    fires: [{ instance: "e:1" }],
  },
  {
    title: "an Envoy without certificates is none",
    alert: "SerinCertificateExpires",
    input: [of(ENVOY_METRICS.daysOfCertificate, "4294967295x300")],
    at: "61m",
    fires: [],
  },
];

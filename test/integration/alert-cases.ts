import type { Metric } from "../../scripts/monitoring/promql.ts";
import { METRICS } from "../../src/contract/names.ts";
import { type Case, type Input, of } from "./alert-case.ts";
import { FLEET_CASES } from "./alert-cases-fleet.ts";

const ROLLOUT = 'rollout="a"';
const ofA = (metric: Metric, value: string | number, ...labels: string[]): Input => of(metric, value, ROLLOUT, ...labels);
const inPhase = (phase: string): Input => ofA(METRICS.rolloutPhase, 1, `phase="${phase}"`);
const A = [{ rollout: "a" }];

const judged = [inPhase("stage"), ofA(METRICS.rolloutShare, 0.1)];
const CANARY = 'variant="canary"';
const STABLE = 'variant="stable"';
interface Skewed {
  readonly sidecar?: string;
  readonly variant?: string;
}
/** A tenth set, so much seen, by a sidecar that decides so many requests each 15 s. */
const skewed = (seen: number, each: string, { sidecar = "s:1", variant = "canary" }: Skewed = {}): Input[] => {
  const by = (metric: Metric, value: string | number, ...labels: string[]): Input =>
    ofA(metric, value, 'job="serin"', `instance="${sidecar}"`, ...labels);
  return [
    by(METRICS.shareSet, 0.1, `variant="${variant}"`),
    by(METRICS.shareSet, 0.9, STABLE),
    by(METRICS.shareSeen, seen, `variant="${variant}"`),
    by(METRICS.shareSeen, 1 - seen, STABLE),
    by(METRICS.decisions, `1+${each}x99`, 'reason="share"'),
  ];
};
const skewedCanary = [{ rollout: "a", variant: "canary" }];
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
    title: "what a freeze holds is held by people",
    alert: "SerinRolloutStuck",
    input: [inPhase("pending"), ofA(METRICS.rolloutPhaseAge, 400), ofA(METRICS.rolloutHeld, 1)],
    at: "6m",
    fires: [],
  },
  {
    title: "what nothing holds is stuck",
    alert: "SerinRolloutStuck",
    input: [inPhase("pending"), ofA(METRICS.rolloutPhaseAge, 400), ofA(METRICS.rolloutHeld, 0)],
    at: "6m",
    fires: A,
  },
  {
    title: "sidecars that a rollout goes on without hold nothing up",
    alert: "SerinRolloutStuck",
    input: [ofA(METRICS.rolloutStragglers, 0), ofA(METRICS.rolloutLeftBehind, 1)],
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
  ...["gate", "paused", "decision"].map((phase) => ({
    title: `nor is one that people are waited for about, in ${phase}`,
    alert: "SerinRolloutBlind",
    input: [inPhase(phase), ofA(METRICS.rolloutShare, 0.1), ofA(METRICS.rolloutEvidenceAge, 400)],
    at: "6m",
    fires: A,
  })),
  {
    title: "a shadow has no users",
    alert: "SerinRolloutBlind",
    input: [inPhase("shadow"), ofA(METRICS.rolloutShare, 0)],
    at: "10m",
    fires: [],
  },
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
    input: [ofA(METRICS.rescued, "0+10x99", CANARY), ofA(METRICS.outcomes, "0+100x99", CANARY)],
    at: "12m",
    fires: skewedCanary,
  },
  {
    title: "stable answers for one of several versions too often",
    alert: "SerinRescueRateHigh",
    input: ["ranking-a", "ranking-b"].flatMap((variant, nth) => [
      ofA(METRICS.rescued, `0+${nth * 10}x99`, `variant="${variant}"`),
      ofA(METRICS.outcomes, "0+100x99", `variant="${variant}"`),
    ]),
    at: "12m",
    fires: [{ rollout: "a", variant: "ranking-b" }],
  },
  {
    title: "no rescue is no alarm",
    alert: "SerinRescueRateHigh",
    input: [ofA(METRICS.rescued, 0, CANARY), ofA(METRICS.outcomes, "0+100x99", CANARY)],
    at: "12m",
    fires: [],
  },
  { title: "a share far from the one set is told", alert: "SerinShareSkew", input: skewed(0.2, "100"), at: "22m", fires: skewedCanary },
  { title: "a share within chance is none", alert: "SerinShareSkew", input: skewed(0.11, "100"), at: "22m", fires: [] },
  {
    title: "a sidecar that saw one user of the canary alone weighs nothing",
    alert: "SerinShareSkew",
    input: [...skewed(0.1, "100"), ...skewed(1, "0", { sidecar: "s:2" })],
    at: "22m",
    fires: [],
  },
  {
    title: "idle sidecars do not hide one that decides wrongly, whatever the variant is called",
    alert: "SerinShareSkew",
    input: [
      ...skewed(0.2, "100", { variant: "ranking-a" }),
      ...["s:2", "s:3", "s:4"].flatMap((sidecar) => skewed(0.1, "0", { sidecar, variant: "ranking-a" })),
    ],
    at: "22m",
    fires: [{ rollout: "a", variant: "ranking-a" }],
  },
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
  { title: "a cluster that answers is none", alert: "SerinClusterMissing", input: [ofA(METRICS.clusterMissing, 0)], at: "5m", fires: [] },
  { title: "an overdue hand-over is told", alert: "SerinHandoverOverdue", input: [ofA(METRICS.rolloutOverdue, 1)], at: "1m", fires: A },
  { title: "a hand-over in time is none", alert: "SerinHandoverOverdue", input: [ofA(METRICS.rolloutOverdue, 0)], at: "1m", fires: [] },
  ...FLEET_CASES,
];

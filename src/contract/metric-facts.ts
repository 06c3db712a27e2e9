import { METRICS } from "./names.ts";

/** What the reference says about one metric. */
export interface MetricFact {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram (seconds)";
  readonly labels: readonly string[];
  readonly meaning: string;
}

const fact = (name: string, kind: MetricFact["kind"], labels: readonly string[], meaning: string): MetricFact => ({
  name,
  kind,
  labels,
  meaning,
});
const SERIES = ["rollout", "variant", "run", "control"];

/** Every metric, in the order of the reference. */
export const METRIC_FACTS: readonly MetricFact[] = [
  fact(METRICS.decisions, "counter", [...SERIES, "reason"], "Requests decided."),
  fact(
    METRICS.outcomes,
    "counter",
    [...SERIES, "class"],
    "Requests ended, by Envoy's access log: `ok`, `failed`, `aborted` (the client left) or `local` (Envoy's own reply). Variants `shadow` and `shadowed` are the answers of a shadow and those to what it got copies of, by Envoy's statistics, there with `refused` for 4xx.",
  ),
  fact(
    METRICS.settled,
    "counter",
    SERIES,
    "Decided requests that no one waits for any more, however they ended; one that asks for a session (`Upgrade`) is not waited for.",
  ),
  fact(
    METRICS.outcomeDuration,
    "histogram (seconds)",
    SERIES,
    "Time of ended requests at the upstream, without the time for the decision.",
  ),
  fact(METRICS.failedOpen, "counter", [], "Requests that Envoy sent on to stable without a decision."),
  fact(METRICS.clusterMissing, "counter", SERIES, "Canary was decided and another cluster answered: Envoy lacks a route or cluster."),
  fact(METRICS.surprises, "counter", ["kind"], "Things that should not happen; where one met a request, it went to stable."),
  fact(METRICS.streams, "counter", [], "External processing streams begun, one per request."),
  fact(
    METRICS.failingUsers,
    "gauge",
    ["rollout", "variant", "run"],
    "Users with a failed request that this sidecar saw, each once; an estimate beyond 1,024.",
  ),
  fact(
    METRICS.knownFailingUsers,
    "gauge",
    ["rollout"],
    "Users that this sidecar saw fail while the rollout rested, or under its old runs.",
  ),
  fact(
    METRICS.streamResets,
    "counter",
    [],
    "External processing streams that Envoy ended by a reset: nearly all without graceful close in Envoy's configuration; with it, those cut short, as by a decision that came too late, a user who left, or an Envoy that stops.",
  ),
  fact(
    METRICS.cookiesIssued,
    "counter",
    ["instead"],
    "Cookies issued to requests that brought `none`, or an `invalid` one: forged, altered, or of a key that is gone.",
  ),
  fact(METRICS.debugRequests, "counter", ["secret"], "Requests that asked for an explanation, with a `right` or a `wrong` secret."),
  fact(METRICS.responsesAsked, "counter", [], "Responses whose headers the sidecar asked Envoy for, to set a cookie or to explain."),
  fact(
    METRICS.responsesMissing,
    "counter",
    [],
    "Those that never came: the client left, or Envoy's configuration lacks `allow_mode_override`, and then nobody keeps a cookie.",
  ),
  fact(METRICS.envoyLogsDropped, "counter", [], "Access log entries that Envoy dropped, by its own count: outcomes that nobody hears of."),
  fact(METRICS.envoyLogsWritten, "counter", [], "Access log entries that Envoy sent, by its own count."),
  fact(METRICS.envoyFailedOpen, "counter", [], "Requests that went on without a decision, by Envoy's own count."),
  fact(METRICS.ruleEpoch, "gauge", [], "Epoch of the rule set in force."),
  fact(METRICS.ruleRevision, "gauge", [], "Revision of the rule set in force."),
  fact(METRICS.rulesRejected, "counter", [], "Rule sets refused since the start."),
  fact(METRICS.rulesState, "gauge", ["state"], "1 for the state that holds: `ok`, `stale` or `unwatched`."),
  fact(
    METRICS.segmentsAwaited,
    "gauge",
    [],
    "Segments of the rules in force that are still to be fetched; the version before is asked, where there is one.",
  ),
  fact(METRICS.kills, "gauge", [], "Operators' signed orders to switch off that are in force."),
  fact(
    METRICS.killsRefused,
    "counter",
    [],
    "Orders to switch off that were refused: no known operator signed them, or they cannot be read.",
  ),
  fact(METRICS.ruleAge, "gauge", [], "Seconds since the last beat of a controller."),
  fact(METRICS.workers, "gauge", [], "With `--workers`: worker processes that serve."),
  fact(METRICS.workersRestarted, "counter", [], "With `--workers`: worker processes started again after they had died."),
  fact(METRICS.workersUnanswered, "counter", [], "With `--workers`: times that a worker did not tell its metrics in time."),
  fact(METRICS.controllerLeader, "gauge", [], "1 while this controller leads."),
  fact(METRICS.rolloutShare, "gauge", ["rollout"], "Share set, 0 to 1."),
  fact(METRICS.rolloutRun, "gauge", ["rollout"], "Run in force."),
  fact(METRICS.rolloutPhase, "gauge", ["rollout", "phase"], "1 for the phase that holds."),
  fact(METRICS.rolloutOverdue, "gauge", ["rollout"], "1 where the hand-over is overdue: the old stable is still every failure's way out."),
  fact(METRICS.frozen, "gauge", [], "1 while a freeze is in force."),
  fact(
    METRICS.rolloutStragglers,
    "gauge",
    ["rollout"],
    "Known sidecars that have not confirmed what is served now, those that the rollout goes on without among them; 0 while the wait is short.",
  ),
  fact(METRICS.rolloutStopped, "gauge", ["rollout"], "Sidecars that stopped the canary of the run in force by themselves (`reflex`)."),
  fact(
    METRICS.rolloutFailingUsers,
    "gauge",
    ["rollout", "variant"],
    "Users with a failed request in this attempt, each once over all sidecars; an estimate beyond 1,024.",
  ),
  fact(
    METRICS.rolloutNewlyFailingUsers,
    "gauge",
    ["rollout", "variant"],
    "Those of them that failed nowhere before: not before the attempt, and under no earlier run of it.",
  ),
  fact(
    METRICS.rolloutKnownFailingRequests,
    "gauge",
    ["rollout", "variant"],
    "Failing requests in this attempt by users that were known to fail before it, as far as they come no faster than before.",
  ),
  fact(METRICS.rolloutKnownFailingUsers, "gauge", ["rollout"], "Users known to fail before this attempt."),
  fact(
    METRICS.rolloutMixUsers,
    "gauge",
    ["rollout", "label", "value", "of"],
    "Users under the run in force who have a value of the rollout's `mix`: of the `canary`, and of `all`.",
  ),
  fact(
    METRICS.rolloutMixSkewed,
    "gauge",
    ["rollout", "label"],
    "1 where the canary's users differ from all users by a label, more than by chance; `serin status` names the target.",
  ),
];

import { fact, type MetricFact } from "./metric-fact.ts";
import { METRICS } from "./names.ts";

const SERIES = ["rollout", "variant", "run", "control"] as const;
const REQUESTS = ["counter", "requests"] as const;
const SECONDS = ["histogram", "seconds"] as const;

/** Metrics of requests, by rollout. */
const OF_REQUESTS: readonly MetricFact[] = [
  fact(METRICS.decisions, REQUESTS, [...SERIES, "reason"], "Requests decided."),
  fact(METRICS.outcomes, REQUESTS, [...SERIES, "class"], "Requests ended, by Envoy's access log."),
  fact(METRICS.grpcOutcomes, REQUESTS, [...SERIES, "grpc_status"], "Those of them that ended with a gRPC status."),
  fact(
    METRICS.rescued,
    REQUESTS,
    SERIES,
    "Those that failed on their variant and that stable answered in its place: failures that no user saw.",
  ),
  fact(
    METRICS.settled,
    REQUESTS,
    SERIES,
    "Decided requests that no one waits for any more, however they ended; one that asks for a session (`Upgrade`) is not waited for.",
  ),
  fact(
    METRICS.outcomeDuration,
    SECONDS,
    SERIES,
    "Time of ended requests at the upstream, without the time for the decision. Those that were rescued, whose time is two variants' time, are left out; those whose client left after 1 s or more count with all their time.",
  ),
  fact(
    METRICS.requestDuration,
    SECONDS,
    SERIES,
    "Time of answered requests end to end: from their first byte at Envoy to the last byte to the client. Those that were rescued count, those whose client left do not.",
  ),
  fact(
    METRICS.firstByteDuration,
    SECONDS,
    SERIES,
    "Time of the same requests to the first byte of the answer, from their first byte at Envoy.",
  ),
  fact(METRICS.clusterMissing, REQUESTS, SERIES, "Canary was decided and another cluster answered: Envoy lacks a route or cluster."),
  fact(METRICS.failedOpen, REQUESTS, [], "Requests that Envoy sent on to stable without a decision."),
  fact(
    METRICS.shareSet,
    ["gauge", "ratio"],
    ["rollout", "variant"],
    "Share that the rules in force set here, 0 to 1; of rollouts that had requests.",
  ),
  fact(
    METRICS.shareSeen,
    ["gauge", "ratio"],
    ["rollout", "variant"],
    "Part of the users' requests that went to a variant by share, 0 to 1, since the run in force began; of rollouts that had such requests.",
  ),
  fact(
    METRICS.failingUsers,
    ["gauge", "users"],
    ["rollout", "variant", "run"],
    "Users with a failed request that this sidecar saw, each once; an estimate beyond 1,024.",
  ),
  fact(
    METRICS.knownFailingUsers,
    ["gauge", "users"],
    ["rollout"],
    "Users that this sidecar saw fail while the rollout rested, or under its old runs.",
  ),
];

/** Metrics of the sidecar itself. */
const OF_ITSELF: readonly MetricFact[] = [
  fact(METRICS.decisionDuration, SECONDS, [], "Time from a request's headers to their answer, within the sidecar; of one in 16 requests."),
  fact(METRICS.streams, ["counter", "streams"], [], "External processing streams begun, one per request."),
  fact(METRICS.streamsOpen, ["gauge", "streams"], [], "Those of them that have not ended."),
  fact(
    METRICS.streamResets,
    ["counter", "streams"],
    [],
    "External processing streams that Envoy ended by a reset: nearly all without graceful close in Envoy's configuration; with it, those cut short, as by a decision that came too late, a user who left, or an Envoy that stops.",
  ),
  fact(
    METRICS.eventLoopDelay,
    SECONDS,
    [],
    "How late timers come, looked at ten times a second: how long a request may wait before it is read.",
  ),
  fact(METRICS.surprises, ["counter", "events"], ["kind"], "Things that should not happen; where one met a request, it went to stable."),
  fact(
    METRICS.cookiesIssued,
    ["counter", "cookies"],
    ["instead"],
    "Cookies issued to requests that brought `none`, or an `invalid` one: forged, altered, or of a key that is gone.",
  ),
  fact(METRICS.debugRequests, REQUESTS, ["secret"], "Requests that asked for an explanation, with a `right` or a `wrong` secret."),
  fact(
    METRICS.responsesAsked,
    ["counter", "responses"],
    [],
    "Responses whose headers the sidecar asked Envoy for, to set a cookie or to explain.",
  ),
  fact(
    METRICS.responsesMissing,
    ["counter", "responses"],
    [],
    "Those that never came: the client left, or Envoy's configuration lacks `allow_mode_override`, and then nobody keeps a cookie.",
  ),
  fact(
    METRICS.envoyLogsDropped,
    ["counter", "entries"],
    [],
    "Access log entries that Envoy dropped, by its own count: outcomes that nobody hears of.",
  ),
  fact(METRICS.envoyLogsWritten, ["counter", "entries"], [], "Access log entries that Envoy sent, by its own count."),
  fact(METRICS.envoyFailedOpen, REQUESTS, [], "Requests that went on without a decision, by Envoy's own count."),
  fact(METRICS.workers, ["gauge", "processes"], [], "With `--workers`: worker processes that serve."),
  fact(METRICS.workersRestarted, ["counter", "processes"], [], "With `--workers`: worker processes started again after they had died."),
  fact(METRICS.workersUnanswered, ["counter", "times"], [], "With `--workers`: times that a worker did not tell its metrics in time."),
];

/** Metrics of the rules, and of where they come from. */
const OF_RULES: readonly MetricFact[] = [
  fact(METRICS.ruleEpoch, ["gauge", "epoch"], [], "Epoch of the rule set in force."),
  fact(METRICS.ruleRevision, ["gauge", "revision"], [], "Revision of the rule set in force."),
  fact(METRICS.rulesSince, ["gauge", "seconds"], [], "Time since it came into force here."),
  fact(
    METRICS.rulesLag,
    SECONDS,
    [],
    "Time from the publication of a rule set, by the controller's clock, until it was in force here, by the sidecar's.",
  ),
  fact(METRICS.ruleAge, ["gauge", "seconds"], [], "Time since the last beat of a controller."),
  fact(METRICS.rulesState, ["gauge", "1"], ["state"], "1 for the state that holds: `ok`, `stale` or `unwatched`."),
  fact(METRICS.rulesRejected, ["counter", "rule sets"], [], "Rule sets refused since the start."),
  fact(
    METRICS.segmentsAwaited,
    ["gauge", "segments"],
    [],
    "Segments of the rules in force that are still to be fetched; the version before is asked, where there is one.",
  ),
  fact(METRICS.kills, ["gauge", "orders"], [], "Operators' signed orders to switch off that are in force."),
  fact(
    METRICS.killsRefused,
    ["counter", "orders"],
    [],
    "Orders to switch off that were refused: no known operator signed them, or they cannot be read.",
  ),
  fact(
    METRICS.natsConnected,
    ["gauge", "0 or 1"],
    [],
    "1 while there is a connection to NATS; none of a sidecar that reads a file. Controllers have it too.",
  ),
  fact(
    METRICS.natsReconnects,
    ["counter", "times"],
    [],
    "Times that the connection to NATS was lost and came back. Controllers have it too.",
  ),
];

/** What a sidecar shows. */
export const SIDECAR_FACTS: readonly MetricFact[] = [...OF_REQUESTS, ...OF_ITSELF, ...OF_RULES];

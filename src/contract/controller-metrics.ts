import { fact, type MetricFact } from "./metric-fact.ts";
import { METRICS } from "./names.ts";

const RATIO = ["gauge", "ratio"] as const;
const YES = ["gauge", "0 or 1"] as const;
const USERS = ["gauge", "users"] as const;
const CHECK = ["gauge", "ratio, or the gauge's own"] as const;

const OF_ITSELF: readonly MetricFact[] = [
  fact(METRICS.controllerLeader, YES, [], "1 while this controller leads. All that follows is the leader's."),
  fact(
    METRICS.tickDuration,
    ["histogram", "seconds"],
    [],
    "Time that a look at all rollouts took, from its begin until all of it was done.",
  ),
  fact(METRICS.publishedRevision, ["gauge", "revision"], [], "Revision of the rule set that was published last."),
  fact(
    METRICS.fleetSidecars,
    ["gauge", "sidecars"],
    ["state"],
    "Known sidecars by what they said last; `silent` for those that were not heard for 12 s, or not yet by this leader.",
  ),
  fact(
    METRICS.fleetBehind,
    ["gauge", "sidecars"],
    [],
    "Known sidecars that obey an older rule set than the one published last; silent ones left out.",
  ),
  fact(METRICS.frozen, YES, [], "1 while a freeze is in force."),
];

const OF_ROLLOUTS: readonly MetricFact[] = [
  fact(METRICS.rolloutInfo, ["gauge", "1"], ["rollout", "strategy", "mode"], "1 for each rollout; its labels say what kind it is."),
  fact(METRICS.rolloutPhase, ["gauge", "1"], ["rollout", "phase"], "1 for the phase that holds."),
  fact(
    METRICS.rolloutPhaseAge,
    ["gauge", "seconds"],
    ["rollout"],
    "Time since it was entered; less by the time that something held it, once that has ended.",
  ),
  fact(METRICS.rolloutHeld, YES, ["rollout"], "1 while something keeps it from advancing, as a freeze does."),
  fact(METRICS.rolloutRun, ["gauge", "run"], ["rollout"], "Run in force."),
  fact(METRICS.rolloutStage, ["gauge", "stage"], ["rollout"], "Stage, counted from 1; 0 where there is none."),
  fact(METRICS.rolloutStages, ["gauge", "stages"], ["rollout"], "Number of stages; 0 of a strategy without."),
  fact(
    METRICS.rolloutTime,
    ["counter", "seconds"],
    ["rollout", "phase", "stage", "waiting"],
    "Time in each phase and stage, as this leader saw it; what is spent waiting apart.",
  ),
  fact(METRICS.rolloutShare, RATIO, ["rollout"], "Share set, 0 to 1: the weight."),
  fact(METRICS.rolloutShareSeen, RATIO, ["rollout"], "Canary's part of the decisions under the run in force, 0 to 1; absent without any."),
  fact(METRICS.rolloutSafeShare, RATIO, ["rollout"], "The largest share that the evidence calls safe, 0 to 1."),
  fact(METRICS.promotions, ["counter", "promotions"], ["rollout"], "Promotions since this controller leads."),
  fact(METRICS.rollbacks, ["counter", "rollbacks"], ["rollout"], "Ways back since this controller leads, whoever asked for them."),
  fact(
    METRICS.savedRequests,
    ["counter", "requests"],
    ["rollout"],
    "Failures that users were spared: at each way back, what would have failed besides had the canary answered all of stable's requests too.",
  ),
  fact(METRICS.rolloutOverdue, YES, ["rollout"], "1 where the hand-over is overdue: the old stable is still every failure's way out."),
  fact(
    METRICS.rolloutStragglers,
    ["gauge", "sidecars"],
    ["rollout"],
    "Receipts awaited: known sidecars that have not confirmed what is served now; 0 while the wait is short.",
  ),
  fact(
    METRICS.rolloutLeftBehind,
    ["gauge", "sidecars"],
    ["rollout"],
    "Known sidecars that the rollout goes on without, until their receipt comes (`stragglers`).",
  ),
  fact(
    METRICS.rolloutStopped,
    ["gauge", "sidecars"],
    ["rollout"],
    "Sidecars that stopped the canary of the run in force by themselves (`reflex`).",
  ),
];

const OF_VERDICTS: readonly MetricFact[] = [
  fact(METRICS.rolloutVerdict, ["gauge", "1"], ["rollout", "verdict"], "1 for the verdict that holds; absent before the first."),
  fact(METRICS.rolloutOdds, ["gauge", "odds"], ["rollout"], "Evidence of all checks against `no worse than tolerated`: 340 means 340 : 1."),
  fact(METRICS.rolloutOddsThreshold, ["gauge", "odds"], ["rollout"], "Odds at which it rolls back."),
  fact(
    METRICS.rolloutEvidenceAge,
    ["gauge", "seconds"],
    ["rollout"],
    "Time since the last outcome of the canary that was judged; absent before the first.",
  ),
  fact(
    METRICS.checkValue,
    CHECK,
    ["rollout", "check"],
    "What a check finds: canary minus stable, over the whole attempt. Absent without data.",
  ),
  fact(METRICS.checkThreshold, CHECK, ["rollout", "check"], "The difference that is tolerated."),
  fact(
    METRICS.checkLower,
    CHECK,
    ["rollout", "check"],
    "Lower bound of the evidence's interval for the difference, valid whenever it is looked at; absent before there is one.",
  ),
  fact(METRICS.checkUpper, CHECK, ["rollout", "check"], "Upper bound of it."),
  fact(METRICS.checkRatio, CHECK, ["rollout", "check", "variant"], "What is compared: the value on `stable` and on the `canary`."),
  fact(METRICS.checkVerdict, ["gauge", "1"], ["rollout", "check", "verdict"], "1 for what the check says by itself."),
  fact(
    METRICS.blastRadiusSpent,
    ["gauge", "requests, users"],
    ["rollout", "kind"],
    "What the canary has cost in this attempt: `failedRequests` and `failedUsers`, each beyond as many as stable would have failed; of rollouts with a `blastRadius`.",
  ),
  fact(METRICS.blastRadiusAllowed, ["gauge", "requests, users"], ["rollout", "kind"], "What it may cost."),
];

const OF_USERS: readonly MetricFact[] = [
  fact(
    METRICS.rolloutFailingUsers,
    USERS,
    ["rollout", "variant"],
    "Users with a failed request in this attempt, each once over all sidecars; an estimate beyond 1,024.",
  ),
  fact(
    METRICS.rolloutNewlyFailingUsers,
    USERS,
    ["rollout", "variant"],
    "Those of them that failed nowhere before: not before the attempt, and under no earlier run of it.",
  ),
  fact(
    METRICS.rolloutKnownFailingRequests,
    ["gauge", "requests"],
    ["rollout", "variant"],
    "Failing requests in this attempt by users that were known to fail before it, as far as they come no faster than before.",
  ),
  fact(METRICS.rolloutKnownFailingUsers, USERS, ["rollout"], "Users known to fail before this attempt."),
  fact(
    METRICS.rolloutMixUsers,
    USERS,
    ["rollout", "label", "value", "of"],
    "Users under the run in force who have a value of the rollout's `mix`: of the `canary`, and of `all`.",
  ),
  fact(
    METRICS.rolloutMixSkewed,
    YES,
    ["rollout", "label"],
    "1 where the canary's users differ from all users by a label, more than by chance; `serin status` names the target.",
  ),
];

/** What a controller shows. */
export const CONTROLLER_FACTS: readonly MetricFact[] = [...OF_ITSELF, ...OF_ROLLOUTS, ...OF_VERDICTS, ...OF_USERS];

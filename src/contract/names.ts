/** Dynamic metadata namespace that the sidecar sets and Envoy's routes match. */
export const METADATA_NAMESPACE = "serin";

/**
 * Where verified claims stand in Envoy's metadata: `jwt_authn` puts the payload of a token that it has verified under its own namespace,
 * by the key that its provider names as `payload_in_metadata`.
 */
export const CLAIMS = { namespace: "envoy.filters.http.jwt_authn", key: "serin" } as const;

/** Prefix of every header that belongs to Serin; Envoy strips clients' copies and lets the sidecar set no other. */
export const HEADER_PREFIX = "x-serin-";

/** Header by which the sidecar names the cluster that gets a copy of a request; Envoy's mirror policy reads it. */
export const MIRROR_HEADER = `${HEADER_PREFIX}mirror`;

/** A request that carries a secret here is explained; no name of `HEADER_PREFIX`, because those are stripped before anything reads them. */
export const DEBUG_HEADER = "serin-debug";

/** The explanation, in the answer. */
export const EXPLAIN_HEADER = `${HEADER_PREFIX}explain`;

/** The variant where everything undecided goes. */
export const STABLE = "stable";

/** Variants as which evidence names the answers of a shadow, and stable's answers to the very requests that it got copies of. */
export const SHADOW = "shadow";
export const SHADOWED = "shadowed";

/** Variants of a rollout that begins with a shadow may not be called so. */
export const SHADOW_VARIANTS: readonly string[] = [SHADOW, SHADOWED];

/** JetStream streams. */
export const STREAMS = {
  plans: "SERIN_PLANS",
  state: "SERIN_STATE",
  audit: "SERIN_AUDIT",
  /** Signed by operators, and written by them: it works without a controller. */
  kills: "SERIN_KILLS",
  /** The first and the last word of sidecars, so that a goodbye that no leader heard is found. */
  presence: "SERIN_PRESENCE",
  /** Judged batches, kept for `serin replay`. */
  ticks: "SERIN_TICKS",
} as const;

/** Where answers come; each user of NATS has inboxes of its own, `_INBOX_serin.USER.>`. */
export const inboxPrefix = (user: string | undefined): string =>
  user === undefined ? "_INBOX_serin" : `_INBOX_serin.${user.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`;

const STATE = "serin.state.";
const PUSH = "serin.push.";

/** NATS subjects. State subjects live in one stream; each write to `serin.state.X` is republished to `serin.push.X`. */
export const SUBJECTS = {
  plan: (rollout: string): string => `serin.plans.${rollout}`,
  rolloutPlans: "serin.plans.*",
  segmentPlan: (segment: string): string => `serin.plans.segment.${segment}`,
  templatePlan: (template: string): string => `serin.plans.template.${template}`,
  policyPlan: "serin.plans.policy.mesh",
  allPlans: "serin.plans.>",
  lease: `${STATE}lease`,
  live: (rollout: string): string => `${STATE}live.${rollout}`,
  judge: (rollout: string): string => `${STATE}judge.${rollout}`,
  manifest: `${STATE}manifest`,
  blob: (hash: string): string => `${STATE}blob.${hash}`,
  fleet: `${STATE}fleet`,
  freeze: `${STATE}freeze`,
  allState: `${STATE}>`,
  push: (stateSubject: string): string => PUSH + stateSubject.slice(STATE.length),
  allPush: `${PUSH}>`,
  command: "serin.command",
  receipt: (sidecar: string): string => `serin.receipt.${sidecar}`,
  allReceipts: "serin.receipt.*",
  presence: (sidecar: string): string => `serin.presence.${sidecar}`,
  allPresence: "serin.presence.*",
  evidence: (sidecar: string): string => `serin.evidence.${sidecar}`,
  allEvidence: "serin.evidence.*",
  failing: (sidecar: string): string => `serin.failing.${sidecar}`,
  allFailing: "serin.failing.*",
  failingUsers: (rollout: string): string => `${STATE}failing.${rollout}`,
  mix: (sidecar: string): string => `serin.mix.${sidecar}`,
  allMix: "serin.mix.*",
  rolloutMix: (rollout: string): string => `${STATE}mix.${rollout}`,
  /** Asks the leader for the way of a rollout's checks. */
  series: "serin.series",
  feedback: (rollout: string): string => `serin.feedback.${rollout}`,
  allFeedback: "serin.feedback.*",
  rolloutFeedback: (rollout: string): string => `${STATE}feedback.${rollout}`,
  audit: (rollout: string): string => `serin.audit.${rollout}`,
  /** No rollout has this name. */
  meshAudit: "serin.audit._mesh",
  allAudit: "serin.audit.>",
  ticks: (rollout: string): string => `serin.ticks.${rollout}`,
  allTicks: "serin.ticks.*",
  kill: (scopeToken: string): string => `serin.kill.${scopeToken}`,
  allKills: "serin.kill.>",
} as const;

/** Metric names, as Prometheus and OTLP see them. */
export const METRICS = {
  decisions: "serin_decisions_total",
  outcomes: "serin_outcomes_total",
  settled: "serin_requests_settled_total",
  grpcOutcomes: "serin_grpc_outcomes_total",
  rescued: "serin_rescued_total",
  outcomeDuration: "serin_outcome_duration_seconds",
  requestDuration: "serin_request_duration_seconds",
  firstByteDuration: "serin_first_byte_duration_seconds",
  shareSet: "serin_share_set_ratio",
  shareSeen: "serin_share_seen_ratio",
  failedOpen: "serin_failed_open_total",
  clusterMissing: "serin_cluster_missing_total",
  surprises: "serin_surprises_total",
  ruleRevision: "serin_rules_revision",
  ruleEpoch: "serin_rules_epoch",
  ruleAge: "serin_rules_beat_age_seconds",
  rulesSince: "serin_rules_age_seconds",
  rulesLag: "serin_rules_lag_seconds",
  rulesRejected: "serin_rules_rejected_total",
  rulesState: "serin_rules_state",
  segmentsAwaited: "serin_segments_awaited",
  kills: "serin_kills",
  killsRefused: "serin_kills_refused_total",
  streams: "serin_ext_proc_streams_total",
  streamsOpen: "serin_ext_proc_streams_open",
  decisionDuration: "serin_decision_duration_seconds",
  eventLoopDelay: "serin_event_loop_delay_seconds",
  natsConnected: "serin_nats_connected",
  natsReconnects: "serin_nats_reconnects_total",
  envoyLogsDropped: "serin_envoy_logs_dropped_total",
  envoyLogsWritten: "serin_envoy_logs_written_total",
  envoyFailedOpen: "serin_envoy_failed_open_total",
  streamResets: "serin_ext_proc_resets_total",
  cookiesIssued: "serin_cookies_issued_total",
  debugRequests: "serin_debug_requests_total",
  responsesAsked: "serin_responses_asked_total",
  responsesMissing: "serin_responses_missing_total",
  workers: "serin_workers",
  workersRestarted: "serin_workers_restarted_total",
  workersUnanswered: "serin_workers_unanswered_total",
  failingUsers: "serin_failing_users",
  knownFailingUsers: "serin_known_failing_users",
  frozen: "serin_frozen",
  controllerLeader: "serin_controller_leader",
  tickDuration: "serin_controller_tick_duration_seconds",
  publishedRevision: "serin_controller_published_revision",
  fleetSidecars: "serin_fleet_sidecars",
  fleetBehind: "serin_fleet_sidecars_behind",
  rolloutInfo: "serin_rollout_info",
  rolloutShare: "serin_rollout_share",
  rolloutShareSeen: "serin_rollout_share_seen",
  rolloutSafeShare: "serin_rollout_safe_share",
  rolloutStage: "serin_rollout_stage",
  rolloutStages: "serin_rollout_stages",
  rolloutPhaseAge: "serin_rollout_phase_age_seconds",
  rolloutTime: "serin_rollout_time_seconds_total",
  rolloutHeld: "serin_rollout_held",
  rolloutVerdict: "serin_rollout_verdict",
  rolloutOdds: "serin_rollout_odds",
  rolloutOddsThreshold: "serin_rollout_odds_threshold",
  rolloutEvidenceAge: "serin_rollout_evidence_age_seconds",
  checkValue: "serin_check_value",
  checkThreshold: "serin_check_threshold",
  checkLower: "serin_check_lower",
  checkUpper: "serin_check_upper",
  checkRatio: "serin_check_ratio",
  checkVerdict: "serin_check_verdict",
  blastRadiusSpent: "serin_rollout_blast_radius_spent",
  blastRadiusAllowed: "serin_rollout_blast_radius_allowed",
  promotions: "serin_rollout_promotions_total",
  rollbacks: "serin_rollout_rollbacks_total",
  savedRequests: "serin_rollout_saved_requests_total",
  rolloutRun: "serin_rollout_run",
  rolloutPhase: "serin_rollout_phase",
  rolloutStragglers: "serin_rollout_stragglers",
  rolloutLeftBehind: "serin_rollout_left_behind",
  rolloutStopped: "serin_rollout_stopped_by_sidecars",
  rolloutOverdue: "serin_rollout_handover_overdue",
  rolloutFailingUsers: "serin_rollout_failing_users",
  rolloutNewlyFailingUsers: "serin_rollout_newly_failing_users",
  rolloutKnownFailingRequests: "serin_rollout_known_failing_requests",
  rolloutKnownFailingUsers: "serin_rollout_known_failing_users",
  rolloutMixUsers: "serin_rollout_mix_users",
  rolloutMixSkewed: "serin_rollout_mix_skewed",
} as const;

/** Upper bounds of the latency histogram, in milliseconds; the last bucket is open. */
export const LATENCY_BOUNDS_MS = [
  1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 2_000, 5_000, 10_000, 30_000,
] as const;

/** The most blobs a rule set is sharded into. */
export const MAX_BLOBS = 64;

/** Version of every stored document and message; a reader refuses a number it does not know. */
export const FORMAT = 1;

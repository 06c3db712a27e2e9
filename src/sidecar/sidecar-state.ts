import type { MetricData } from "@opentelemetry/sdk-metrics";
import { METRICS } from "../contract/names.ts";
import { STABLE } from "../contract/rollout.ts";
import type { Decision } from "../core/decide/types.ts";
import type { Clock } from "../io/clock.ts";
import type { HttpPorts } from "../io/http.ts";
import type { KillSwitch } from "../io/kill-switch.ts";
import type { Logger } from "../io/log.ts";
import { createEasySlices, type Slices } from "../io/slices.ts";
import type { AccessLogPorts } from "./access-log-service.ts";
import type { Attribution } from "./attribution.ts";
import { type Beat, type BeatState, beatState, createBeat } from "./beat.ts";
import type { Cells } from "./cells.ts";
import { type Counters, createCounters } from "./counters.ts";
import { type Counts, createCounts } from "./counts.ts";
import { type CurrentRules, createCurrentRules } from "./current-rules.ts";
import { createEnvoyStats, type EnvoyStats } from "./envoy-stats.ts";
import type { ExtProcPorts } from "./ext-proc.ts";
import { extrasPorts, NO_SECRETS, type Secrets } from "./extras-ports.ts";
import { failingReadings } from "./failing-readings.ts";
import type { FailingUsers } from "./failing-users.ts";
import { createHealth, type Health } from "./health.ts";
import { cellMetricParts, type Reading, readingMetrics } from "./metric-data.ts";
import type { SidecarSettings } from "./options.ts";
import { createReflex } from "./reflex.ts";
import { createTrust } from "./trusted-peers.ts";

/** Everything that a sidecar holds in memory, and what its servers ask of it. */
export interface SidecarState extends Counts {
  readonly rules: CurrentRules;
  readonly beat: Beat;
  readonly health: Health;
  readonly extProc: ExtProcPorts;
  readonly accessLog: AccessLogPorts;
  readonly envoyStats: EnvoyStats;
  /** How the beat stands; always ok where rules come from a file. */
  standing(): BeatState;
  readiness: HttpPorts["readiness"];
  /** Metrics of now, in parts that are made as they are asked for: between two, requests may be answered. */
  collect(): Iterable<MetricData>;
  /** Lets the series of rollouts go that are long gone; to be called now and then. */
  forgetGone(): void;
  /** What long work beside the requests calls between its steps. */
  readonly slices: Slices;
  /** The listener hears the name of the rollout. */
  onCanaryFailure(listener: (rollout: string) => void): void;
}

interface Parts {
  readonly log: Logger;
  readonly clock: Clock;
  readonly secrets?: Secrets;
  /** Operators' orders; none where nothing can bring any. */
  readonly kills?: Pick<KillSwitch, "inForce" | "refused">;
}

/** Starts empty: stable for all, no beat heard, nothing counted. */
export function createState(settings: SidecarSettings, { log, clock, secrets = NO_SECRETS, kills }: Parts): SidecarState {
  const beat = createBeat(clock);
  const standing = (): BeatState => ("file" in settings.source ? "ok" : beatState(beat.ageMs(), settings));
  const rules = createCurrentRules(clock.nowMs, () => standing() === "unwatched", settings.labels);
  const counters = createCounters();
  const streams = counters.cell(METRICS.streams, {});
  const health = createHealth();
  const startedAtMs = clock.nowMs();
  let tellFailure = (_rollout: string): void => undefined;
  const surprise = (kind: string, error: unknown): void => {
    if (counters.add(METRICS.surprises, { kind }) === 1) log.error({ kind, error }, "surprise; counted from now on");
  };
  const { cells, failing, mix } = createCounts(rules, clock, (kind) => surprise(kind, undefined));
  const envoyStats = createEnvoyStats({ rules: rules.compiled, cells, surprise });
  const failed = (rollout: string): void => tellFailure(rollout);
  const reflex = createReflexOf(rules, clock, log);
  return {
    rules,
    beat,
    cells,
    failing,
    mix,
    health,
    standing,
    extProc: {
      rules: rules.compiled,
      surprise,
      decided: (decision, isSession) => countDecision(cells, decision, isSession),
      trusts: createTrust(settings.trustPeers),
      streamBegun: () => void (streams.value += 1),
      streamReset: countReset(counters, streams, log),
      // Without a controller there is nobody to tell.
      mix: "file" in settings.source ? undefined : mix,
      extras: extrasPorts(secrets, counters, log),
    },
    accessLog: {
      surprise,
      ended: (attribution) => countOutcome(attribution, { cells, failing, counters, log, failed, reflex }),
    },
    envoyStats,
    readiness: () => ({ isReady: health.isServing(), body: { id: settings.id, ...standingBody({ rules, beat, standing }) } }),
    *collect() {
      yield* cellMetricParts(cells.all, clock.nowMs);
      const readings = [...counters.readings(), ...envoyStats.readings(), ...rulesReadings({ rules, beat, standing })];
      yield* readingMetrics(readings, startedAtMs, clock.nowMs());
      for (const part of failingReadings(failing)) yield* readingMetrics([part], startedAtMs, clock.nowMs());
      if (kills !== undefined) yield* readingMetrics(killReadings(kills), startedAtMs, clock.nowMs());
    },
    forgetGone: createForgetGone(rules, cells, clock),
    slices: createEasySlices(),
    onCanaryFailure: (listener) => {
      tellFailure = listener;
    },
  };
}

const RESETS =
  "Envoy ends its streams by reset, which costs both sides for each request; " +
  "from Envoy 1.40 on, set the static runtime flag envoy.reloadable_features.ext_proc_graceful_grpc_close to true";

/** So many resets say something about Envoy's configuration, where they end nearly all streams. Some come by any: late decisions, users who left. */
const MANY_RESETS = 1_000;
const NEARLY_ALL = 0.9;

/** Says once that resets are the rule. */
function countReset(counters: Counters, streams: { readonly value: number }, log: Logger): () => void {
  const resets = counters.cell(METRICS.streamResets, {});
  let isSaid = false;
  return () => {
    resets.value += 1;
    if (isSaid || resets.value % MANY_RESETS !== 0 || resets.value < NEARLY_ALL * streams.value) return;
    isSaid = true;
    log.warn({ resets: resets.value, streams: streams.value }, RESETS);
  };
}

/** Stops canaries that this sidecar sees die, where their rollouts ask for it. */
function createReflexOf(rules: CurrentRules, { nowMs }: Clock, log: Logger): ReturnType<typeof createReflex> {
  return createReflex({
    nowMs,
    ruleOf(name, run) {
      const rollout = rules.compiled().rollouts.get(name);
      return rollout === undefined || rollout.off || rollout.run !== run ? undefined : rollout.statics.reflex;
    },
    stop(rollout, streak) {
      log.warn({ rollout, ...streak }, "the canary fails and stable is well: stopped here until a new run");
      rules.stop(rollout, streak);
    },
  });
}

/** Long enough for the last outcomes to arrive and to be collected. */
const KEPT_AFTER_MS = 600_000;

/** Lets the series of a rollout go some time after its rules went. */
function createForgetGone(rules: CurrentRules, cells: Cells, { nowMs }: Clock): () => void {
  let goneAtMs = new Map<string, number>();
  return () => {
    const { rollouts } = rules.compiled();
    const atMs = nowMs();
    const gone = new Map<string, number>();
    for (const rollout of cells.rollouts()) {
      if (rollouts.has(rollout)) continue;
      const sinceMs = goneAtMs.get(rollout) ?? atMs;
      if (atMs - sinceMs < KEPT_AFTER_MS) gone.set(rollout, sinceMs);
      else cells.forget(rollout);
    }
    goneAtMs = gone;
  };
}

function countDecision(cells: Cells, { rollout, variant, run, control, reason }: Decision, isSession: boolean): void {
  if (rollout !== undefined) cells.decided({ rollout, variant, run, control }, reason, isSession);
}

interface Counting {
  readonly cells: Cells;
  readonly failing: FailingUsers;
  readonly counters: Counters;
  readonly log: Logger;
  failed(rollout: string): void;
  readonly reflex: ReturnType<typeof createReflex>;
}

function countOutcome(attribution: Attribution, { cells, failing, counters, log, failed, reflex }: Counting): void {
  switch (attribution.kind) {
    case "failed open":
      counters.add(METRICS.failedOpen, {});
      return;
    case "cluster missing": {
      const { rollout, variant, isSession } = attribution;
      if (cells.elsewhere(attribution, isSession) === 1)
        log.error({ rollout, variant }, "canary was decided and another cluster answered: does Envoy have its cluster and priority group?");
      return;
    }
    case "no rollout":
    case "undecided":
      return;
    case "outcome": {
      cells.ended(attribution, attribution);
      reflex.ended(attribution);
      if (attribution.class !== "failed") return;
      const { bucket } = attribution;
      if (bucket !== undefined) failing.failed({ ...attribution, bucket });
      if (attribution.variant !== STABLE) failed(attribution.rollout);
    }
  }
}

function killReadings(kills: Pick<KillSwitch, "inForce" | "refused">): Reading[] {
  const values = (value: number) => [{ attributes: {}, value }];
  return [
    {
      name: METRICS.kills,
      description: "Operators' orders to switch off that are in force.",
      kind: "gauge",
      values: values(kills.inForce().length),
    },
    {
      name: METRICS.killsRefused,
      description: "Orders to switch off that were refused.",
      kind: "counter",
      values: values(kills.refused()),
    },
  ];
}

type Standing = Pick<SidecarState, "rules" | "beat" | "standing">;

function standingBody({ rules, beat, standing }: Standing): object {
  const { epoch, revision } = rules.ruleSet();
  const { count, problem } = rules.rejected();
  return { epoch, revision, state: standing(), beatAgeMs: beat.ageMs() ?? null, rejected: count, problem: problem ?? null };
}

function rulesReadings({ rules, beat, standing }: Standing): Reading[] {
  const { epoch, revision } = rules.ruleSet();
  const ageMs = beat.ageMs();
  const gauge = (name: string, description: string, value: number, attributes = {}): Reading => ({
    name,
    description,
    kind: "gauge",
    values: [{ attributes, value }],
  });
  return [
    gauge(METRICS.ruleEpoch, "Epoch of the rule set in force.", epoch),
    gauge(METRICS.ruleRevision, "Revision of the rule set in force.", revision),
    { ...gauge(METRICS.rulesRejected, "Rule sets refused since the start.", rules.rejected().count), kind: "counter" },
    gauge(METRICS.rulesState, "1 for the state that holds: ok, stale or unwatched.", 1, { state: standing() }),
    gauge(METRICS.segmentsAwaited, "Segments still to be fetched.", rules.awaited().segments.length),
    ...(ageMs === undefined ? [] : [gauge(METRICS.ruleAge, "Seconds since the last beat.", ageMs / 1_000)]),
  ];
}

import type { MetricData } from "@opentelemetry/sdk-metrics";
import { METRICS } from "../contract/names.ts";
import { STABLE } from "../contract/rollout.ts";
import type { Decision } from "../core/decide/types.ts";
import type { Clock } from "../io/clock.ts";
import { type ConnectionStanding, createConnectionStanding } from "../io/connection-standing.ts";
import type { HttpPorts } from "../io/http.ts";
import type { KillSwitch } from "../io/kill-switch.ts";
import type { Logger } from "../io/log.ts";
import { metricOf } from "../io/metric-points.ts";
import { createEasySlices, type Slices } from "../io/slices.ts";
import type { TellSpan } from "../io/spans.ts";
import type { AccessLogPorts } from "./access-log-service.ts";
import { type Attribution, type EntryFacts, seenOf } from "./attribution.ts";
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
import { cellMetricParts } from "./metric-data.ts";
import type { SidecarSettings } from "./options.ts";
import { killReadings, rulesReadings } from "./own-readings.ts";
import { createOwnTimes, type OwnTimes } from "./own-times.ts";
import { createReflex } from "./reflex.ts";
import { traceDecision } from "./request-spans.ts";
import { shareReadings } from "./share-readings.ts";
import { countStreams } from "./stream-counts.ts";
import { createTrust } from "./trusted-peers.ts";

/** Everything that a sidecar holds in memory, and what its servers ask of it. */
export interface SidecarState extends Counts {
  readonly rules: CurrentRules;
  readonly beat: Beat;
  readonly health: Health;
  readonly extProc: ExtProcPorts;
  readonly accessLog: AccessLogPorts;
  readonly envoyStats: EnvoyStats;
  readonly times: OwnTimes;
  /** Undefined where rules come from a file. */
  readonly connection: ConnectionStanding | undefined;
  /** How the beat stands; always ok where rules come from a file. */
  standing(): BeatState;
  readiness: HttpPorts["readiness"];
  /** Metrics of now, in parts that are made as they are asked for: between two, requests may be answered. */
  collect(): Iterable<MetricData>;
  /** Lets the series of rollouts go that are over; to be called now and then. */
  forgetOver(): void;
  /** What long work beside the requests calls between its steps. */
  readonly slices: Slices;
  /** The listener hears the name of the rollout. */
  onCanaryFailure(listener: (rollout: string) => void): void;
  /** From now on requests that somebody traces tell what was decided. */
  trace(tell: TellSpan | undefined): void;
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
  const streams = countStreams(counters, log);
  const times = createOwnTimes(clock.nowMs);
  const connection = "file" in settings.source ? undefined : createConnectionStanding();
  const health = createHealth();
  const startMs = clock.nowMs();
  const ruled = { rules, beat, standing };
  let tellFailure = (_rollout: string): void => undefined;
  const surprise = (kind: string, error: unknown): void => {
    if (counters.add(METRICS.surprises, { kind }) === 1) log.error({ kind, error }, "surprise; counted from now on");
  };
  const counts = createCounts(rules, clock, (kind) => surprise(kind, undefined));
  const { cells, failing, mix } = counts;
  const envoyStats = createEnvoyStats({ rules: rules.compiled, cells, nowMs: clock.nowMs, surprise });
  const failed = (rollout: string): void => tellFailure(rollout);
  const reflex = createReflexOf(rules, clock, log);
  const extProc: ExtProcPorts = {
    rules: rules.compiled,
    surprise,
    decided: (decision, isSession) => countDecision(cells, decision, isSession),
    trusts: createTrust(settings.trustPeers),
    ...streams,
    decisionTook: times.decisionTook,
    // Without a controller there is nobody to tell.
    mix: "file" in settings.source ? undefined : mix,
    extras: extrasPorts(secrets, counters, log),
  };
  return {
    rules,
    beat,
    ...counts,
    health,
    standing,
    extProc,
    accessLog: {
      surprise,
      ended: (attribution, entry) => countOutcome(attribution, entry, { cells, failing, counters, log, failed, reflex }),
    },
    envoyStats,
    times,
    connection,
    readiness: () => ({ isReady: health.isServing(), body: { id: settings.id, ...standingBody(ruled) } }),
    collect: () =>
      collectFrom({ ...ruled, ...counts, kills, counters, streams, envoyStats, times, connection, startMs, nowMs: clock.nowMs }),
    forgetOver: () => counts.rests.look(counts),
    slices: createEasySlices(),
    onCanaryFailure: (listener) => {
      tellFailure = listener;
    },
    trace(tell) {
      extProc.traced = tell === undefined ? undefined : (decided) => traceDecision(decided, clock, tell);
    },
  };
}

type Collected = Standing &
  Pick<SidecarState, "cells" | "failing" | "rests" | "envoyStats" | "times" | "connection"> &
  Readonly<{
    kills: Parts["kills"] | undefined;
    counters: Counters;
    streams: ReturnType<typeof countStreams>;
    startMs: number;
    nowMs(): number;
  }>;

function* collectFrom(from: Collected): Generator<MetricData> {
  const { cells, failing, rests, rules, kills, counters, streams, envoyStats, times, connection } = from;
  const span = { startMs: from.startMs, nowMs: from.nowMs() };
  yield* cellMetricParts(cells.shown, from.nowMs);
  const own = [...counters.readings(), ...streams.readings(), ...envoyStats.readings(), ...(connection?.readings() ?? [])];
  const ofRules = [...rulesReadings({ ...from, nowMs: span.nowMs }), ...(kills === undefined ? [] : killReadings(kills))];
  for (const each of [...own, ...ofRules]) yield metricOf(each, span);
  yield* times.metrics(span);
  for (const part of shareReadings(rules.compiled, cells)) yield metricOf(part, span);
  for (const part of failingReadings(failing, rests)) yield metricOf(part, span);
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

function countOutcome(attribution: Attribution, entry: EntryFacts, { cells, failing, counters, log, failed, reflex }: Counting): void {
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
      cells.ended(attribution, attribution, seenOf(entry, attribution));
      reflex.ended(attribution);
      if (attribution.class !== "failed") return;
      const { bucket } = attribution;
      if (bucket !== undefined) failing.failed({ ...attribution, bucket });
      if (attribution.variant !== STABLE) failed(attribution.rollout);
    }
  }
}

type Standing = Pick<SidecarState, "rules" | "beat" | "standing">;

function standingBody({ rules, beat, standing }: Standing): object {
  const { epoch, revision } = rules.ruleSet();
  const { count, problem } = rules.rejected();
  return { epoch, revision, state: standing(), beatAgeMs: beat.ageMs() ?? null, rejected: count, problem: problem ?? null };
}

import { ValueType } from "@opentelemetry/api";
import { AggregationTemporality, DataPointType, type GaugeMetricData, type MetricData } from "@opentelemetry/sdk-metrics";
import { LABELS } from "../contract/evidence.ts";
import type { FailingUsers, VariantFailingUsers } from "../contract/failing-users.ts";
import type { LiveState } from "../contract/live.ts";
import type { MixFigures } from "../contract/mix-evidence.ts";
import { METRICS } from "../contract/names.ts";
import type { Side } from "../core/judge/types.ts";
import { awaitedBy, awaitsReceipts } from "../core/plan/stragglers.ts";

/** What a controller shows of itself. */
export interface Standing {
  readonly isLeader: boolean;
  /** Empty while another leads. */
  readonly rollouts: readonly LiveState[];
  /** Of the rollouts where users were seen to fail. */
  readonly failing: readonly Readonly<{ rollout: string; users: FailingUsers }>[];
  /** Of the rollouts that ask for the mix of their users. */
  readonly mixes: readonly Readonly<{ rollout: string; figures: MixFigures }>[];
  readonly isFrozen: boolean;
  readonly nowMs: number;
}

const SIDES: readonly Side[] = ["stable", "canary"];

type Point = Readonly<{ attributes: Record<string, string>; value: number }>;

/** The gauges of a controller, as OpenTelemetry collects them. */
export function gaugesOf({ isLeader, rollouts, failing, mixes, isFrozen, nowMs }: Standing): MetricData[] {
  const of = (value: (live: LiveState) => number, extra: (live: LiveState) => Record<string, string> = () => ({})): Point[] =>
    rollouts.map((live) => ({ attributes: { [LABELS.rollout]: live.rollout, ...extra(live) }, value: value(live) }));
  return [
    gauge(METRICS.controllerLeader, "1 while this controller leads.", [{ attributes: {}, value: isLeader ? 1 : 0 }], nowMs),
    gauge(
      METRICS.rolloutShare,
      "Share set, as a ratio.",
      of(({ shareBp }) => shareBp / 10_000),
      nowMs,
    ),
    gauge(
      METRICS.rolloutRun,
      "Run in force.",
      of(({ plan }) => plan.run),
      nowMs,
    ),
    gauge(
      METRICS.rolloutPhase,
      "1 for the phase that the rollout is in.",
      of(() => 1, phaseOf),
      nowMs,
    ),
    gauge(
      METRICS.rolloutStragglers,
      "Known sidecars that have not confirmed what is served now.",
      of(({ plan }) => (awaitsReceipts(plan) ? awaitedBy(plan).length : 0) + (plan.without?.length ?? 0)),
      nowMs,
    ),
    gauge(
      METRICS.rolloutStopped,
      "Sidecars that stopped the canary of the run in force by themselves.",
      of(({ stops = [] }) => stops.length),
      nowMs,
    ),
    gauge(
      METRICS.rolloutOverdue,
      "1 where the hand-over is overdue.",
      of(({ plan }) => Number(plan.phase === "promoted" && plan.overdue)),
      nowMs,
    ),
    gauge(METRICS.frozen, "1 while a freeze is in force.", isLeader ? [{ attributes: {}, value: Number(isFrozen) }] : [], nowMs),
    ...failingGauges(failing, nowMs),
    ...mixGauges(mixes, nowMs),
  ];
}

function failingGauges(failing: Standing["failing"], nowMs: number): MetricData[] {
  const of = (value: (users: VariantFailingUsers) => number): Point[] =>
    failing.flatMap(({ rollout, users }) =>
      SIDES.map((variant) => ({ attributes: { [LABELS.rollout]: rollout, [LABELS.variant]: variant }, value: value(users[variant]) })),
    );
  const known = failing.map(({ rollout, users }) => ({ attributes: { [LABELS.rollout]: rollout }, value: users.known }));
  return [
    gauge(
      METRICS.rolloutFailingUsers,
      "Users that failed in this attempt.",
      of(({ distinct }) => distinct),
      nowMs,
    ),
    gauge(
      METRICS.rolloutNewlyFailingUsers,
      "Those of them that failed nowhere before.",
      of(({ newlyFailing }) => newlyFailing),
      nowMs,
    ),
    gauge(
      METRICS.rolloutKnownFailingRequests,
      "Failing requests of users known to fail before this attempt.",
      of(({ knownRequests }) => knownRequests),
      nowMs,
    ),
    gauge(METRICS.rolloutKnownFailingUsers, "Users known to fail before this attempt.", known, nowMs),
  ];
}

/** At most 60 series a rollout, by labels and values that its file names. */
function mixGauges(mixes: Standing["mixes"], nowMs: number): MetricData[] {
  const users = mixes.flatMap(({ rollout, figures: { values } }) =>
    values.flatMap(({ label, value, users: counts }) =>
      (["canary", "all"] as const).map((of) => ({ attributes: { [LABELS.rollout]: rollout, label, value, of }, value: counts[of] })),
    ),
  );
  const skewed = mixes.flatMap(({ rollout, figures: { values, skews } }) =>
    [...new Set(values.map(({ label }) => label))].map((label) => ({
      attributes: { [LABELS.rollout]: rollout, label },
      value: Number(skews.some((skew) => skew.label === label)),
    })),
  );
  return [
    gauge(METRICS.rolloutMixUsers, "Users under the run in force who have a value of a label.", users, nowMs),
    gauge(METRICS.rolloutMixSkewed, "1 where the canary's users differ from all users by a label, more than by chance.", skewed, nowMs),
  ];
}

const phaseOf = ({ plan }: LiveState): Record<string, string> => ({ phase: plan.phase });

function gauge(name: string, description: string, points: readonly Point[], nowMs: number): GaugeMetricData {
  const at: [number, number] = [Math.floor(nowMs / 1_000), (nowMs % 1_000) * 1_000_000];
  return {
    descriptor: { name, description, unit: "", valueType: ValueType.DOUBLE },
    dataPointType: DataPointType.GAUGE,
    aggregationTemporality: AggregationTemporality.CUMULATIVE, // A gauge has none, but the type asks for it.
    dataPoints: points.map(({ attributes, value }) => ({ startTime: at, endTime: at, attributes, value })),
  };
}

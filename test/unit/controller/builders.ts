import { HALF_METRICS } from "../../../src/contract/evidence.ts";
import type { LiveState, PlanState } from "../../../src/contract/live.ts";
import type { Receipt } from "../../../src/contract/messages.ts";
import { LATENCY_BOUNDS_MS, METRICS } from "../../../src/contract/names.ts";
import { type Rollout, type RolloutInput, RolloutSchema } from "../../../src/contract/rollout.ts";
import type { Point } from "../../../src/controller/evidence-points.ts";

/** A document as a user's file holds it. */
export const documentOf = (name: string, change: Partial<RolloutInput> = {}): RolloutInput => ({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name,
  match: { hosts: [`${name}.example`] },
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: `${name}-stable` }, canary: { cluster: `${name}-canary` } },
  strategy: { type: "canary", stages: [{ share: "10%", minTime: "1s", minSample: 20 }] },
  ...change,
});

export const rolloutOf = (name: string, change: Partial<RolloutInput> = {}): Rollout => RolloutSchema.parse(documentOf(name, change));

const served = { run: 3, firstRun: 1, sinceMs: 0 };

/** One plan state of each phase that a rollout with stages has. */
export const PHASES: readonly PlanState[] = [
  { phase: "queued", ...served, reason: "number 1" },
  { phase: "pending", ...served },
  { phase: "stage", ...served, stage: 0, begunAtMs: null },
  { phase: "ramp", ...served, shareBp: 1_000, changedAtMs: 0, begunAtMs: 0 },
  { phase: "holdback", ...served, begunAtMs: 0 },
  { phase: "paused", ...served, stage: 0, reason: "by ann" },
  { phase: "promoting", ...served },
  { phase: "promoted", ...served, overdue: false },
  { phase: "rollingBack", ...served, reason: "errors" },
  { phase: "rolledBack", ...served, reason: "errors", stragglers: [] },
  { phase: "handedOver", ...served },
];

export function planState(phase: PlanState["phase"]): PlanState {
  const found = PHASES.find((state) => state.phase === phase);
  if (found === undefined) throw new Error(`no plan state of phase ${phase}`);
  return found;
}

export const liveOf = (rollout: string, plan: PlanState, change: Partial<LiveState> = {}): LiveState => ({
  format: 1,
  rollout,
  planSequence: 1,
  plan,
  shareBp: 1_000,
  revision: { epoch: 100, revision: 5 },
  updatedAtMs: 0,
  commands: [],
  outbox: [],
  ...change,
});

export const receiptOf = (sidecar: string, change: Partial<Receipt> = {}): Receipt => ({
  format: 1,
  sidecar,
  epoch: 100,
  revision: 5,
  sinceMs: 0,
  atMs: 0,
  startedAtMs: 0,
  state: "ok",
  rejected: 0,
  ...change,
});

export const pointOf = (change: Partial<Point> = {}): Point => ({
  rollout: "cart",
  series: "outcomes|canary|ok",
  measure: "ok",
  variant: "canary",
  control: false,
  run: 3,
  start: 1_000n,
  values: [10],
  ...change,
});

type Value = Readonly<{ stringValue: string }>;
const attribute = (key: string, value: string): Readonly<{ key: string; value: Value }> => ({ key, value: { stringValue: value } });

/** Cumulative counts of one variant of one run, as a sidecar tells them. */
export interface Counts {
  readonly variant: "stable" | "canary";
  readonly run: number;
  readonly control?: boolean;
  readonly decided: number;
  readonly ok: number;
  readonly failed: number;
  readonly aborted?: number;
  /** Answered by another cluster. */
  readonly elsewhere?: number;
  /** Bucket of the latency bounds in which all requests ended. */
  readonly bucket?: number;
  /** False where nothing is told of how long they took. */
  readonly isTimed?: boolean;
  /** Counts of one half of hosts. */
  readonly half?: Readonly<{ ok: number; failed: number }>;
}

/** An evidence message in the form of the contract. */
export function evidenceOf(rollout: string, sequence: number, counts: readonly Counts[], startNs = "1000"): object {
  const labels = ({ variant, run, control }: Counts) => [
    attribute("rollout", rollout),
    attribute("variant", variant),
    attribute("run", String(run)),
    attribute("control", String(control === true)),
  ];
  const point = (count: Counts, value: number, extra: readonly Readonly<{ key: string; value: Value }>[] = []) => ({
    attributes: [...labels(count), ...extra],
    startTimeUnixNano: startNs,
    timeUnixNano: "2000",
    asInt: String(value),
  });
  const sum = (dataPoints: readonly object[]) => ({ dataPoints, aggregationTemporality: 2, isMonotonic: true });
  const outcomes = counts.flatMap((count) => [
    point(count, count.ok, [attribute("class", "ok")]),
    point(count, count.failed, [attribute("class", "failed")]),
    point(count, count.aborted ?? 0, [attribute("class", "aborted")]),
  ]);
  const settled = counts.map((count) => point(count, count.ok + count.failed + (count.aborted ?? 0) + (count.elsewhere ?? 0)));
  const elsewhere = counts.flatMap((count) => (count.elsewhere === undefined ? [] : [point(count, count.elsewhere)]));
  const duration = (count: Counts, all: number, extra: readonly Readonly<{ key: string; value: Value }>[] = []) => ({
    attributes: [...labels(count), ...extra],
    startTimeUnixNano: startNs,
    timeUnixNano: "2000",
    count: String(all),
    bucketCounts: [...LATENCY_BOUNDS_MS, 0].map((_, bucket) => (bucket === (count.bucket ?? 5) ? String(all) : "0")),
    explicitBounds: LATENCY_BOUNDS_MS.map((ms) => ms / 1_000),
  });
  const durations = counts.filter(({ isTimed }) => isTimed !== false).map((count) => duration(count, count.ok + count.failed));
  const hosts = attribute("half", "hosts");
  const halves = counts.flatMap((count) =>
    count.half === undefined
      ? []
      : [
          point(count, count.half.ok, [attribute("class", "ok"), hosts]),
          point(count, count.half.failed, [attribute("class", "failed"), hosts]),
        ],
  );
  const halfDurations = counts.flatMap((count) =>
    count.half === undefined ? [] : [duration(count, count.half.ok + count.half.failed, [hosts])],
  );
  return {
    resourceMetrics: [
      {
        resource: { attributes: [attribute("service.instance.id", "any"), { key: "serin.sequence", value: { intValue: sequence } }] },
        scopeMetrics: [
          {
            metrics: [
              { name: METRICS.decisions, sum: sum(counts.map((count) => point(count, count.decided, [attribute("reason", "share")]))) },
              { name: METRICS.outcomes, sum: sum(outcomes) },
              { name: METRICS.settled, sum: sum(settled) },
              ...(elsewhere.length === 0 ? [] : [{ name: METRICS.clusterMissing, sum: sum(elsewhere) }]),
              { name: METRICS.outcomeDuration, histogram: { dataPoints: durations, aggregationTemporality: 2 } },
              { name: HALF_METRICS.outcomes, sum: sum(halves) },
              { name: HALF_METRICS.duration, histogram: { dataPoints: halfDurations, aggregationTemporality: 2 } },
              { name: "serin_rules_revision", gauge: { dataPoints: [] } },
            ],
          },
        ],
      },
    ],
  };
}

import { LATENCY_BOUNDS_MS } from "../../contract/names.ts";
import type { Counts } from "./bet.ts";
import { overdueAfter, slowOf, startOverdue } from "./overdue.ts";
import { COLD_MS, METRICS, type Metric } from "./parameters.ts";
import { recordOf } from "./record.ts";
import { boundNear, coldBound, countOf, slowerThan } from "./slow.ts";
import type { JudgeState, MetricState } from "./state.ts";
import type { EvidenceBatch, Judgement, JudgePolicy, Outcomes } from "./types.ts";
import { aboutTolerance, reserveAt, restart, startMetric, take } from "./wager.ts";

const BUCKETS = LATENCY_BOUNDS_MS.length + 1;
const NOTHING: Outcomes = { decided: 0, settled: 0, requests: 0, failed: 0, latency: [] };

/** What is known before any outcome. */
export function startJudge(nowMs: number): JudgeState {
  const metric = startMetric(nowMs);
  return {
    version: 2,
    sinceMs: nowMs,
    nowMs,
    canarySinceMs: null,
    run: 0,
    runSample: 0,
    stable: { requests: 0, failed: 0, latency: new Array<number>(BUCKETS).fill(0) },
    canary: { requests: 0, failed: 0, latency: new Array<number>(BUCKETS).fill(0) },
    overdue: { stable: startOverdue(nowMs), canary: startOverdue(nowMs) },
    metrics: { errors: metric, slowP50: metric, slowP90: metric, slowP99: metric },
  };
}

/**
 * Takes new outcomes in and says what all the evidence since the start means. The verdict is valid whenever it is looked at:
 * a canary within tolerance is ever rolled back with probability `ALPHA` at most, whatever shares, traffic and stable do, as
 * long as each outcome is counted once. Counts that make no sense are no data.
 */
export function judge(policy: JudgePolicy, state: JudgeState, batch: EvidenceBatch): Judgement<JudgeState> {
  const next = takeIn(policy, state, isSound(batch) ? batch : nothingNew(state));
  return { state: next, record: recordOf(policy, next) };
}

const nothingNew = ({ nowMs, run }: JudgeState): EvidenceBatch => ({ nowMs, run, runCanary: 0, stable: NOTHING, canary: NOTHING });

const countsOf = ({ decided, settled, requests, failed, latency }: Outcomes): number[] => [decided, settled, requests, failed, ...latency];

function isSound({ nowMs, run, runCanary, stable, canary }: EvidenceBatch): boolean {
  const counts = [nowMs, run, runCanary, ...[stable, canary].flatMap(countsOf)];
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  const fits = ({ requests, failed, latency }: Outcomes): boolean => failed <= requests && latency.length <= BUCKETS;
  return counts.every(isCount) && fits(stable) && fits(canary);
}

function takeIn(policy: JudgePolicy, state: JudgeState, batch: EvidenceBatch): JudgeState {
  const nowMs = Math.max(state.nowMs, batch.nowMs); // Another leader's clock may be behind.
  const stable = overdueAfter(state.overdue.stable, batch.stable, nowMs);
  const canary = overdueAfter(state.overdue.canary, batch.canary, nowMs);
  const isCanaryKnown = batch.canary.requests > 0 || canary.state.unended > 0;
  const canarySinceMs = state.canarySinceMs ?? (isCanaryKnown ? nowMs : null);
  const moment: Moment = {
    policy,
    batch,
    unended: { stable: stable.change, canary: canary.change },
    nowMs,
    canarySinceMs,
    due: reserveAt(state.nowMs - state.sinceMs) - reserveAt(nowMs - state.sinceMs),
  };
  const [errors, p50, p90, p99] = METRICS;
  return {
    ...state,
    nowMs,
    canarySinceMs,
    run: batch.run,
    runSample: batch.runCanary + (batch.run === state.run ? state.runSample : 0),
    stable: plus(state.stable, batch.stable),
    canary: plus(state.canary, batch.canary),
    overdue: { stable: stable.state, canary: canary.state },
    metrics: {
      errors: metricAfter(errors, state, moment),
      slowP50: metricAfter(p50, state, moment),
      slowP90: metricAfter(p90, state, moment),
      slowP99: metricAfter(p99, state, moment),
    },
  };
}

const plus = (a: JudgeState["stable"], b: Outcomes): JudgeState["stable"] => ({
  requests: a.requests + b.requests,
  failed: a.failed + b.failed,
  latency: a.latency.map((count, bucket) => count + (b.latency[bucket] ?? 0)),
});

/** What all metrics need of one batch. */
interface Moment {
  readonly policy: JudgePolicy;
  readonly batch: EvidenceBatch;
  /** Change of the requests that count as slow because they have not ended. */
  readonly unended: Readonly<Record<"stable" | "canary", number>>;
  readonly nowMs: number;
  readonly canarySinceMs: number | null;
  /** Part of the reserve that is to be bet. */
  readonly due: number;
}

function metricAfter({ key, slowAt }: Metric, state: JudgeState, moment: Moment): MetricState {
  const { policy, batch, nowMs, canarySinceMs, due } = moment;
  const before = state.metrics[key];
  const isCanaryKnown = canarySinceMs !== null;
  if (slowAt === undefined) {
    const ready = restart(aboutTolerance(before, policy.maxErrorIncrease), due);
    return take(ready, failures(batch), { nowMs, isCanaryKnown, bearsOnSafety: true });
  }
  const ready = restart(aboutTolerance(withBound(before, slowAt, state), policy.maxSlowIncrease), due);
  if (ready.bound === null) return { ...ready, betAtMs: nowMs };
  const warmAtMs = (canarySinceMs ?? nowMs) + COLD_MS;
  const counts = slowness(moment, ready.bound, nowMs < warmAtMs ? coldBound(ready.bound) : ready.bound);
  return take(ready, counts, { nowMs, isCanaryKnown, bearsOnSafety: ready.betAtMs >= warmAtMs });
}

/** Chooses the bound once, by what stable did before this batch, and begins with what is known of stable there. */
function withBound(metric: MetricState, slowAt: number, { stable }: JudgeState): MetricState {
  const bound = metric.bound ?? boundNear(stable.latency, slowAt);
  if (bound === null || metric.bound !== null) return metric;
  return { ...metric, bound, long: { hits: slowerThan(stable.latency, bound), all: countOf(stable.latency) } };
}

const failures = ({ canary, stable }: EvidenceBatch): Counts => ({
  canaryHits: canary.failed,
  canary: canary.requests,
  stableHits: stable.failed,
  stable: stable.requests,
});

function slowness({ batch, unended }: Moment, bound: number, canaryBound: number): Counts {
  const canary = slowOf(batch.canary.latency, unended.canary, canaryBound);
  const stable = slowOf(batch.stable.latency, unended.stable, bound);
  return { canaryHits: canary.hits, canary: canary.all, stableHits: stable.hits, stable: stable.all };
}

import { createDisturbances, type Disturbances, type Fates, type Moment } from "./disturbances.ts";
import { copyStuck, createFailingUsers, type FailingUsers, independent, nobodyStuck, type StuckClients } from "./failing-users.ts";
import { drawBuckets, type LatencyTable, latencyTable, quantileMs, slowerThan } from "./latency.ts";
import type { SideCounts, Tick } from "./policy.ts";
import { hashText, Random } from "./random.ts";
import { type Scenario, type Suite, scenarioOf } from "./scenario.ts";
import { perStream, type Stream } from "./streams.ts";

/** A scenario made ready; what depends on no seed is computed once. */
export interface Stage {
  readonly scenario: Scenario;
  readonly tickS: number;
  readonly boundsMs: readonly number[];
  /** Ticks before the rollout, and of the rollout at most. */
  readonly historyTicks: number;
  readonly horizonTicks: number;
  readonly horizonS: number;
  readonly key: number;
  readonly latency: { readonly stable: LatencyTable; readonly canary: LatencyTable };
  /** Requests of the canary slower than stable's p95, beyond stable's own 5 %, while its fault is there. */
  readonly excessSlow: number;
}

/** Makes a scenario of the suite ready. */
export function stageOf(suite: Suite, own: Suite["scenarios"][number]): Stage {
  const scenario = scenarioOf(suite, own);
  const { stable, canary } = scenario;
  const boundsMs = scenario.buckets_ms ?? suite.buckets_ms;
  const stableTable = latencyTable(stable.latency, boundsMs);
  const slowMs = quantileMs(stable.latency, 0.95);
  const slower = slowerThan(canary.latency ?? stable.latency, slowMs, Math.log(canary.latency_scale ?? 1));
  const isSlower = canary.latency !== undefined || canary.latency_scale !== undefined;
  return {
    scenario,
    tickS: suite.tick_s,
    boundsMs,
    historyTicks: Math.round(suite.history_s / suite.tick_s),
    horizonTicks: Math.round(suite.horizon_s / suite.tick_s),
    horizonS: suite.horizon_s,
    key: hashText(scenario.id),
    latency: { stable: stableTable, canary: canary.latency === undefined ? stableTable : latencyTable(canary.latency, boundsMs) },
    excessSlow: isSlower ? Math.max(0, slower - 0.05) : 0,
  };
}

/**
 * Traffic of one scenario and one seed, tick by tick. A judge can influence nothing but the weight of the next tick: draws are keyed
 * by seed, tick and stream, so that judges who choose the same weights see the same counts.
 */
export class World {
  private readonly stage: Stage;
  private readonly seed: number;
  private readonly disturbances: Disturbances;
  private readonly users: FailingUsers;
  private readonly stuck: StuckClients;
  private tick: number;
  private swing = 0;
  private readonly ownSwing = perStream(() => 0);
  private coldSinceS: number | undefined;

  private constructor(stage: Stage, seed: number, start: { readonly tick: number; readonly stuck: StuckClients }) {
    this.stage = stage;
    this.seed = seed;
    this.tick = start.tick;
    this.stuck = start.stuck;
    const parts = { scenario: stage.scenario, key: stage.key, seed, tickS: stage.tickS };
    this.disturbances = createDisturbances(parts);
    this.users = createFailingUsers(parts, start.stuck);
  }

  /** The world as it is before the history. */
  static beforeHistory(stage: Stage, seed: number): World {
    return new World(stage, seed, { tick: -stage.historyTicks, stuck: nobodyStuck() });
  }

  /** The world at the start of the rollout: nothing is going on, and who failed in this world's history is known. */
  atStart(): World {
    return new World(this.stage, this.seed, { tick: 0, stuck: copyStuck(this.stuck) });
  }

  /** What the canary would harm per second if all traffic were on it and its fault there. */
  static harmPerS(stage: Stage): number {
    const { canary, traffic } = stage.scenario;
    const bad: Stage = { ...stage, scenario: { ...stage.scenario, canary: { ...canary, onset_s: 0 } } };
    const { truth } = new World(bad, 1, { tick: 0, stuck: nobodyStuck() }).next(0.5);
    return (truth.excessErr + truth.excessSlow + (canary.broken_users?.share ?? 0)) * traffic.rps;
  }

  /** All ticks before the rollout. */
  history(): Tick[] {
    return Array.from({ length: this.stage.historyTicks }, () => this.next(0));
  }

  /** The next tick, with this part of the traffic on the canary. */
  next(weight: number): Tick {
    const { scenario, tickS } = this.stage;
    const moment = this.moment(weight);
    const { tick, sec, shared } = moment;
    const isBad = tick >= 0 && sec >= (scenario.canary.onset_s ?? 0);
    const rps = this.rps(sec);
    const all = shared.poisson(rps * tickS);
    const onCanary = shared.binomial(all, moment.weight);
    const inA = shared.binomial(all - onCanary, 0.5);
    const requests = { a: inA, b: all - onCanary - inA, canary: onCanary };
    const { fates, excess } = this.fates(moment, isBad);
    this.disturbances.disturb(moment, fates);
    const noise = scenario.latency_noise;
    const kept = Math.exp(-tickS / noise.tau_s);
    const fresh = Math.sqrt(1 - kept * kept);
    this.swing = kept * this.swing + fresh * noise.common_sd * shared.normal();
    let broken = 0;
    const draw = (stream: Stream): SideCounts => {
      const random = moment.own[stream];
      const tally = independent(requests[stream], random.binomial(requests[stream], fates.failing[stream]));
      this.users.add(tally, stream, moment, { rate: rps, isBad });
      broken += tally.brokenByCanary;
      this.ownSwing[stream] = kept * this.ownSwing[stream] + fresh * noise.local_sd * random.normal();
      const table = this.stage.latency[stream === "canary" && isBad ? "canary" : "stable"];
      const chances = table.chances(fates.logFactor[stream] + this.swing + this.ownSwing[stream]);
      const { n, errors, known, failedUsers, newlyFailing } = tally;
      const hist = drawBuckets(random, n, chances);
      return { n, errors, known_errors: known, failed_keys: failedUsers, new_failed_keys: newlyFailing, hist };
    };
    const counts = perStream(draw);
    const excessSlow = isBad ? this.stage.excessSlow : 0;
    return {
      t: tick,
      sec,
      weight: moment.weight,
      stable: sum(counts.a, counts.b),
      stable_split: [counts.a, counts.b],
      canary: counts.canary,
      truth: { excessErr: excess, excessSlow, harmed: onCanary * (excess + excessSlow) + broken, rps },
    };
  }

  private moment(weight: number): Moment {
    const tick = this.tick;
    this.tick += 1;
    const { key, tickS } = this.stage;
    const own = {
      a: new Random(key ^ 0x99, this.seed, tick * 8 + 1),
      b: new Random(key ^ 0xabc, this.seed, tick * 8 + 2),
      canary: new Random(key ^ 0x77, this.seed, tick * 8 + 3),
    };
    const shared = new Random(key ^ 0x1234, this.seed, tick * 8);
    return { tick, sec: tick * tickS, weight: tick < 0 ? 0 : weight, shared, own };
  }

  private rps(sec: number): number {
    const { scenario, tickS, historyTicks, horizonTicks } = this.stage;
    const { rps, drift } = scenario.traffic;
    if (drift === undefined) return rps;
    const historyS = historyTicks * tickS;
    return rps * (1 + (drift - 1) * Math.min(1, Math.max(0, (sec + historyS) / (historyS + horizonTicks * tickS))));
  }

  /** What both versions do of themselves, and the part of its requests that the canary fails beyond stable. */
  private fates({ sec, weight }: Moment, isBad: boolean): { readonly fates: Fates; readonly excess: number } {
    const { scenario, tickS, horizonTicks } = this.stage;
    const { stable, canary } = scenario;
    const drift = stable.error_drift ?? 1;
    const base = stable.error_rate * (1 + (drift - 1) * Math.min(1, Math.max(0, sec / (horizonTicks * tickS))));
    const ofCanary = isBad && canary.error_rate !== undefined ? Math.max(0, canary.error_rate + (base - stable.error_rate)) : base;
    let logFactor = isBad && canary.latency_scale !== undefined ? Math.log(canary.latency_scale) : 0;
    if (canary.cold_start_s !== undefined && weight > 0) {
      this.coldSinceS ??= sec;
      if (sec - this.coldSinceS < canary.cold_start_s) logFactor += Math.log(canary.cold_start_scale ?? 2);
    }
    return {
      fates: { failing: { a: base, b: base, canary: ofCanary }, logFactor: { a: 0, b: 0, canary: logFactor } },
      excess: Math.max(0, ofCanary - base),
    };
  }
}

const sum = (a: SideCounts, b: SideCounts): SideCounts => ({
  n: a.n + b.n,
  errors: a.errors + b.errors,
  known_errors: a.known_errors + b.known_errors,
  failed_keys: a.failed_keys + b.failed_keys,
  new_failed_keys: a.new_failed_keys + b.new_failed_keys,
  hist: a.hist.map((count, bucket) => count + (b.hist[bucket] ?? 0)),
});

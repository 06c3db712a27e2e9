import { Random } from "./random.ts";
import type { Scenario } from "./scenario.ts";
import { forEachStream, type PerStream, perStream } from "./streams.ts";

/** One tick of the world, before it is drawn. */
export interface Moment {
  readonly tick: number;
  /** Start of the tick, in seconds of the rollout. */
  readonly sec: number;
  /** Part of the traffic that goes to the canary. */
  readonly weight: number;
  /** Draws that all streams share. */
  readonly shared: Random;
  readonly own: PerStream<Random>;
}

/** How each stream's requests fare in one tick; disturbances change it. */
export interface Fates {
  /** Chance of a failure. */
  readonly failing: PerStream<number>;
  /** Logarithm of the factor of all times. */
  readonly logFactor: PerStream<number>;
}

export interface Disturbances {
  /** Makes the fates of this tick worse; ticks come in order. */
  disturb(moment: Moment, fates: Fates): void;
}

interface Parts {
  readonly scenario: Scenario;
  /** The scenario's part of the seed. */
  readonly key: number;
  readonly seed: number;
  readonly tickS: number;
}

/** All that hits both versions alike: outages, blips of a dependency, instances that fail for a while. None of it is the canary's fault. */
export function createDisturbances(parts: Parts): Disturbances {
  const blips = createBlips(parts);
  const bursts = createPodBursts(parts);
  return {
    disturb(moment, fates) {
      outages(parts, moment, fates);
      blips.disturb(moment, fates);
      bursts.disturb(moment, fates);
    },
  };
}

/** Adds another cause of failures, independent of those before. */
function hit({ failing }: Fates, stream: keyof Fates["failing"], chance: number): void {
  failing[stream] = 1 - (1 - failing[stream]) * (1 - Math.min(1, Math.max(0, chance)));
}

function outages({ scenario, key, seed }: Parts, { sec }: Moment, fates: Fates): void {
  for (const { start_s, dur_s, error_rate, latency_scale, heterogeneity } of scenario.events ?? []) {
    if (sec < start_s || sec >= start_s + dur_s) continue;
    const unevenness = new Random(key ^ 0x55, seed, Math.round(start_s));
    forEachStream((stream) => {
      hit(fates, stream, error_rate * (1 + (heterogeneity ?? 0) * (2 * unevenness.uniform() - 1)));
      fates.logFactor[stream] += Math.log(latency_scale ?? 1);
    });
  }
}

/** One tick less for each that goes on. */
const aged = (remaining: readonly number[]): number[] => remaining.map((ticks) => ticks - 1).filter((ticks) => ticks > 0);

function createBlips({ scenario: { blips }, tickS }: Parts): Disturbances {
  let going: number[] = [];
  return {
    disturb({ shared }, fates) {
      if (blips === undefined) return;
      const begun = shared.poisson((blips.per_hour * tickS) / 3600);
      for (let index = 0; index < begun; index += 1) going.push(Math.ceil(blips.dur_s / tickS));
      if (going.length > 0) forEachStream((stream) => hit(fates, stream, blips.error_rate));
      going = aged(going);
    },
  };
}

/** Each instance fails as often on either side, so that the canary is not worse, only lumpier. */
function createPodBursts({ scenario: { pod_bursts: bursts }, tickS }: Parts): Disturbances {
  const going = perStream((): number[] => []);
  return {
    disturb({ weight, own }, fates) {
      if (bursts === undefined) return;
      const { pods, per_pod_hour, dur_s, error_rate } = bursts;
      const onCanary = weight > 0 ? Math.max(1, Math.round(weight * pods)) : 0;
      const inHalf = Math.max(1, (pods - onCanary) / 2);
      const perPod = (per_pod_hour * tickS) / 3600;
      forEachStream((stream) => {
        const count = stream === "canary" ? onCanary : inHalf;
        if (count === 0) return;
        const begun = own[stream].poisson(perPod * count);
        for (let index = 0; index < begun; index += 1) going[stream].push(Math.ceil(dur_s / tickS));
        hit(fates, stream, Math.min(1, going[stream].length / count) * error_rate);
        going[stream] = aged(going[stream]);
      });
    },
  };
}

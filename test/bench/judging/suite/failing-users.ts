import type { Moment } from "./disturbances.ts";
import { Random } from "./random.ts";
import type { Scenario } from "./scenario.ts";
import { perStream, type Stream } from "./streams.ts";

/** What one stream has counted in a tick; the causes of failures add to it. */
export interface Tally {
  n: number;
  errors: number;
  /** Failures of users who failed before the rollout. */
  known: number;
  failedUsers: number;
  newlyFailing: number;
  /** Requests that fail only because the canary answered. */
  brokenByCanary: number;
}

interface Parts {
  readonly scenario: Scenario;
  readonly key: number;
  readonly seed: number;
  readonly tickS: number;
}

/** Clients that always fail, and who of them has failed already; the rollout's world begins with what the history has seen. */
export interface StuckClients {
  readonly seen: Set<number>;
  readonly beforeRollout: Set<number>;
}

export interface FailingUsers {
  /** Adds the failures of users who fail again and again. `rate` is all traffic per second, `isBad` whether the canary's fault is there. */
  add(tally: Tally, stream: Stream, moment: Moment, traffic: { readonly rate: number; readonly isBad: boolean }): void;
}

/** Users who fail many times: in clumps, always, or whenever they are on the canary. */
export function createFailingUsers(parts: Parts, stuckClients: StuckClients): FailingUsers {
  const sessions = createSessions(parts);
  const broken = createBroken(parts);
  return {
    add(tally, stream, moment, traffic) {
      sessions.add(tally, stream, moment);
      addStuck(parts, stuckClients, { tally, stream, moment });
      if (stream === "canary" && traffic.isBad) broken.add(tally, moment, traffic.rate);
    },
  };
}

/** How far ahead failures are planned, in ticks; a session lasts no longer. */
const AHEAD = 256;
const slotOf = (tick: number): number => ((tick % AHEAD) + AHEAD) % AHEAD;
const bump = (list: Float64Array, slot: number): void => {
  list[slot] = Number(list[slot]) + 1;
};
const taken = (list: Float64Array, slot: number): number => {
  const count = Number(list[slot]);
  list[slot] = 0;
  return count;
};

/** Users whose sessions fail many times, on the stream where the session began. */
function createSessions({ scenario: { clusters }, tickS }: Parts): { add(tally: Tally, stream: Stream, moment: Moment): void } {
  const planned = perStream(() => ({ failures: new Float64Array(AHEAD), users: new Float64Array(AHEAD), newly: new Float64Array(AHEAD) }));
  return {
    add(tally, stream, { tick, weight, own }) {
      if (clusters === undefined) return;
      const { failures, users, newly } = planned[stream];
      const random = own[stream];
      const slot = slotOf(tick);
      const share = stream === "canary" ? weight : (1 - weight) / 2;
      const ticks = Math.max(1, Math.round(clusters.dur_s / tickS));
      const begun = random.poisson(clusters.per_second * tickS * share);
      for (let session = 0; session < begun; session += 1) {
        const count = 1 + Math.floor(random.exponential(clusters.mean_errors - 1));
        const failsIn = new Set<number>();
        for (let failure = 0; failure < count; failure += 1) {
          const later = Math.floor(random.uniform() * ticks);
          bump(failures, slotOf(slot + later));
          failsIn.add(later);
        }
        for (const later of failsIn) bump(users, slotOf(slot + later));
        bump(newly, slotOf(slot + Math.min(...failsIn)));
      }
      const failed = taken(failures, slot);
      tally.errors += failed;
      tally.n += failed;
      tally.failedUsers += taken(users, slot);
      tally.newlyFailing += taken(newly, slot);
    },
  };
}

interface Place {
  readonly tally: Tally;
  readonly stream: Stream;
  readonly moment: Moment;
}

/** Clients that always fail, wherever they are: on the canary while their bucket is below the share. */
function addStuck({ scenario: { stuck }, key, seed, tickS }: Parts, clients: StuckClients, { tally, stream, moment }: Place): void {
  for (let client = 0; client < (stuck?.users ?? 0); client += 1) {
    const draws = new Random(key ^ 0x33, seed, client);
    const onCanary = draws.uniform() < moment.weight;
    const place = onCanary ? "canary" : draws.uniform() < 0.5 ? "a" : "b";
    if (place !== stream) continue;
    const failed = moment.own[stream].poisson((stuck?.rps ?? 0) * tickS);
    tally.errors += failed;
    tally.n += failed;
    if (failed === 0) continue;
    tally.failedUsers += 1;
    if (clients.beforeRollout.has(client)) tally.known += failed;
    if (clients.seen.has(client)) continue;
    clients.seen.add(client);
    tally.newlyFailing += 1;
    if (moment.tick < 0) clients.beforeRollout.add(client);
  }
}

/** Users who are fine on stable and fail every time on the canary. */
function createBroken({ scenario, tickS }: Parts): { add(tally: Tally, moment: Moment, rate: number): void } {
  const spec = scenario.canary.broken_users;
  let seen = 0;
  return {
    add(tally, { weight, own: { canary: random } }, rate) {
      if (spec === undefined) return;
      const users = Math.round(spec.population * spec.share * weight);
      const requestsEach = (rate * tickS) / spec.population;
      const active = random.binomial(users, 1 - Math.exp(-requestsEach));
      const requests = active + random.poisson(active * (requestsEach / (1 - Math.exp(-requestsEach)) - 1));
      const failed = Math.min(requests, Math.max(0, tally.n - tally.errors));
      tally.errors += failed;
      tally.brokenByCanary = failed;
      const failedUsers = Math.min(active, failed);
      tally.failedUsers += failedUsers;
      const newly = users === 0 ? 0 : random.binomial(failedUsers, Math.max(0, 1 - seen / users));
      seen += newly;
      tally.newlyFailing += newly;
    },
  };
}

/** Nobody has failed yet. */
export const nobodyStuck = (): StuckClients => ({ seen: new Set(), beforeRollout: new Set() });

/** What a world knows at the start of the rollout, apart from the one that goes on. */
export const copyStuck = ({ seen, beforeRollout }: StuckClients): StuckClients => ({
  seen: new Set(seen),
  beforeRollout: new Set(beforeRollout),
});

/** Failures of another user each time, out of so many requests. */
export const independent = (n: number, errors: number): Tally => ({
  n,
  errors,
  known: 0,
  failedUsers: errors,
  newlyFailing: errors,
  brokenByCanary: 0,
});

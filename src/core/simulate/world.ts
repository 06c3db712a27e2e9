import { LATENCY_BOUNDS_MS } from "../../contract/names.ts";
import type { EvidenceBatch, Half, Outcomes } from "../judge/types.ts";
import { binomial, poisson } from "./random.ts";

/** Log-normal latency of a service as most are: a tenth of the requests takes twice the median, one in a hundred four times. */
const SPREAD = 0.6;
/** A request is slow that takes longer than this part of stable's. */
const USUAL = 0.95;
/** In units of the spread, where the normal distribution reaches `USUAL`. */
const USUAL_AT = 1.644_853_6;

/** How requests of one variant end. */
export interface Behaviour {
  /** Part that fails, 0…1. */
  readonly failing: number;
  readonly medianMs: number;
  /** Chance of each latency bucket for a request that is in none below. */
  readonly buckets: readonly number[];
}

/** A behaviour by its ratio of failures and its median latency. */
export function behaviourOf(failing: number, medianMs: number): Behaviour {
  const upTo = LATENCY_BOUNDS_MS.map((boundMs) => normalCdf(Math.log(boundMs / medianMs) / SPREAD));
  const buckets = upTo.map((part, index) => {
    const below = upTo[index - 1] ?? 0;
    return (part - below) / Math.max(Number.EPSILON, 1 - below);
  });
  return { failing, medianMs, buckets };
}

/** Part of a variant's requests that are slow as only one in twenty of stable's is, beyond that one: 0…0.95. */
export const slowPart = (stable: Behaviour, canary: Behaviour): number =>
  USUAL - normalCdf(USUAL_AT - Math.log(canary.medianMs / stable.medianMs) / SPREAD);

/** So many requests of one variant. */
export function outcomesOf(random: () => number, requests: number, { failing, buckets }: Behaviour): Outcomes {
  const latency: number[] = [];
  let left = requests;
  for (const chance of buckets) {
    const here = binomial(random, left, chance);
    latency.push(here);
    left -= here;
  }
  const failed = binomial(random, requests, failing);
  // Each failure meets another user.
  return {
    decided: requests,
    settled: requests,
    requests,
    failed,
    latency: [...latency, left],
    users: { newly: failed, knownRequests: 0 },
  };
}

/** What happens at one moment. */
export interface Moment {
  readonly nowMs: number;
  readonly run: number;
  readonly shareBp: number;
  /** Requests expected. */
  readonly requests: number;
  readonly stable: Behaviour;
  readonly canary: Behaviour;
}

/** Outcomes of a moment as a controller gets them: stable in halves by key, and all counts at random. */
export function batchAt(random: () => number, { nowMs, run, shareBp, requests, stable, canary }: Moment): EvidenceBatch {
  const share = shareBp / 10_000;
  const half = (): Outcomes => outcomesOf(random, poisson(random, (requests * (1 - share)) / 2), stable);
  const [one, other] = [half(), half()];
  const all = sum(one, other);
  const its = outcomesOf(random, poisson(random, requests * share), canary);
  const split = { shareBp, canary: its.requests, all: its.requests + all.requests };
  return { nowMs, run, runCanary: its.requests, stable: all, canary: its, halves: { keys: halfOf(one) }, split };
}

const halfOf = ({ requests, failed, latency }: Outcomes): Half => ({
  requests,
  failed,
  latency,
  users: { newly: failed, knownRequests: 0 },
});

function sum(a: Outcomes, b: Outcomes): Outcomes {
  const requests = a.requests + b.requests;
  const failed = a.failed + b.failed;
  const latency = a.latency.map((count, bucket) => count + Number(b.latency[bucket])); // Both have all buckets.
  return { decided: requests, settled: requests, requests, failed, latency, users: { newly: failed, knownRequests: 0 } };
}

/** The normal distribution's share below `x` (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(x));
  const tail =
    (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  return x > 0 ? 1 - tail : tail;
}

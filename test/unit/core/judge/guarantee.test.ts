import { describe, expect, test } from "vitest";
import { judge, startJudge } from "../../../../src/core/judge/judge.ts";
import { HARM_FACTOR } from "../../../../src/core/judge/parameters.ts";
import type { Half, JudgePolicy, Outcomes } from "../../../../src/core/judge/types.ts";
import { Random } from "../../../bench/judging/suite/random.ts";

/** Large enough that a guarantee which does not hold would show in some tens of rollouts. */
const ALPHA = 0.2;
const RUNS = 80;
const LOOKS = 80;

const policy: JudgePolicy = {
  alpha: ALPHA,
  maxErrorIncrease: 0.01,
  maxSlowIncrease: 0.02,
  errorProof: 0.005,
  minSample: 1,
  boundsMs: [100],
};

/** Ratios of one moment: stable's, and the tolerated difference that the canary uses up `times`. */
interface Moment {
  readonly stable: number;
  readonly times: number;
}

type Draw = (random: Random, count: number, ratio: number) => Outcomes;

/** Only errors are counted. */
const errors: Draw = (random, count, ratio) => {
  const failed = random.binomial(count, ratio);
  return { decided: count, settled: count, requests: count, failed, latency: [] };
};

/** Nothing fails; some are slow. */
const slowness: Draw = (random, count, ratio) => {
  const slow = random.binomial(count, ratio);
  return { decided: count, settled: count, requests: count, failed: 0, latency: [count - slow, slow] };
};

/** Half of stable, drawn evenly, as hosts and keys fall. */
function halfOf(random: Random, { requests, failed, latency }: Outcomes): Half {
  const [hits, ofHits] = [failed + (latency[1] ?? 0), random.binomial(failed + (latency[1] ?? 0), 0.5)];
  const misses = random.binomial(requests - hits, 0.5);
  return latency.length === 0
    ? { requests: ofHits + misses, failed: ofHits, latency: [] }
    : { requests: ofHits + misses, failed: 0, latency: [misses, ofHits] };
}

/** Whether a rollout that is looked at after each batch is ever rolled back; its share grows with suspicion, which must not matter. */
function isRolledBack(seed: number, draw: Draw, margin: number, momentAt: (look: number) => Moment): boolean {
  const random = new Random(seed, 1, 2);
  let state = startJudge(0);
  let odds = 0;
  for (let look = -20; look < LOOKS; look += 1) {
    const { stable: ratio, times } = momentAt(look);
    const share = look < 0 ? 0 : odds > 1 ? 0.5 : 0.2;
    const onCanary = random.binomial(400, share);
    const stable = draw(random, 400 - onCanary, ratio);
    const canary = draw(random, onCanary, times * (HARM_FACTOR * ratio + margin));
    const halves = { hosts: halfOf(random, stable), keys: halfOf(random, stable) };
    const batch = { nowMs: (look + 20) * 5_000, run: 1, runCanary: onCanary, stable, canary, halves };
    const judged = judge(policy, state, batch);
    state = judged.state;
    odds = Math.max(...judged.record.checks.map((check) => check.odds));
    if (judged.record.verdict === "rollback") return true;
  }
  return false;
}

const rolledBack = (draw: Draw, margin: number, momentAt: (look: number) => Moment): number =>
  Array.from({ length: RUNS }, (_, seed) => isRolledBack(seed, draw, margin, momentAt)).filter(Boolean).length / RUNS;

/** Steady, and with drift, an outage of both and a canary that is better now and then. */
const STEADY = (): Moment => ({ stable: 0.03, times: 1 });
const RESTLESS = (look: number): Moment => ({
  stable: (look > 30 && look < 45 ? 0.25 : 0.02) * (1 + Math.max(0, look) / LOOKS),
  times: look % 10 === 0 ? 0.5 : 1,
});

describe("a canary exactly at the tolerated margin, looked at after every batch, is rolled back with at most the chance that is promised", () => {
  test.each([
    { title: "for errors", draw: errors, margin: policy.maxErrorIncrease, momentAt: STEADY },
    { title: "for errors, through drift and an outage of both", draw: errors, margin: policy.maxErrorIncrease, momentAt: RESTLESS },
    { title: "for slow requests", draw: slowness, margin: policy.maxSlowIncrease, momentAt: () => ({ stable: 0.1, times: 1 }) },
  ])("$title", ({ draw, margin, momentAt }) => {
    expect(rolledBack(draw, margin, momentAt)).toBeLessThanOrEqual(ALPHA);
  });
});

describe("a canary that is half as bad again is rolled back far more often, so that the above says something", () => {
  test.each([
    { title: "for errors", draw: errors, margin: policy.maxErrorIncrease, stable: 0.03 },
    { title: "for slow requests", draw: slowness, margin: policy.maxSlowIncrease, stable: 0.1 },
  ])("$title", ({ draw, margin, stable }) => {
    expect(rolledBack(draw, margin, () => ({ stable, times: 1.5 }))).toBeGreaterThan(0.9);
  });
});

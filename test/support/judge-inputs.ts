import { LATENCY_BOUNDS_MS } from "../../src/contract/names.ts";
import type { VerdictRecord } from "../../src/contract/verdict.ts";
import { judge, startJudge } from "../../src/core/judge/judge.ts";
import type { JudgeState } from "../../src/core/judge/state.ts";
import type { EvidenceBatch, JudgePolicy, Outcomes } from "../../src/core/judge/types.ts";
import { binomial } from "./random.ts";
import { type Behaviour, outcomes } from "./traffic.ts";

/** The tolerances that a rollout has when it names none, and a small minimum sample. */
export const policy: JudgePolicy = {
  alpha: 0.01,
  maxErrorIncrease: 0.005,
  maxSlowIncrease: 0.02,
  errorProof: 0.005,
  minSample: 50,
  boundsMs: LATENCY_BOUNDS_MS,
};

export const SINCE_MS = 1_000_000;

/** Outcomes without latency. */
export const failing = (failed: number, requests: number): Outcomes => ({
  decided: requests,
  settled: requests,
  requests,
  failed,
  latency: [],
});

/** No outcome. */
export const none: Outcomes = failing(0, 0);

/** A batch of run 1, all of whose canary outcomes are of that run. */
export const batchAt = (afterMs: number, sides: Partial<Pick<EvidenceBatch, "stable" | "canary">>): EvidenceBatch => ({
  nowMs: SINCE_MS + afterMs,
  run: 1,
  runCanary: sides.canary?.requests ?? 0,
  stable: none,
  canary: none,
  ...sides,
});

/** All of the batches judged in order: the last state and every record. */
export function judgeAll(batches: readonly EvidenceBatch[], given: JudgePolicy = policy): { state: JudgeState; records: VerdictRecord[] } {
  let state = startJudge(SINCE_MS);
  const records = batches.map((batch) => {
    const judged = judge(given, state, batch);
    state = judged.state;
    return judged.record;
  });
  return { state, records };
}

/** One moment of a simulated rollout. */
export interface Tick {
  readonly share: number;
  readonly requests: number;
  readonly stable: Behaviour;
  readonly canary: Behaviour;
}

/** Batches of a simulated rollout, one each `tickMs`; `hasLatency` is false where only errors matter, and time does. */
export function simulated(random: () => number, ticks: readonly Tick[], tickMs: number, hasLatency = true): EvidenceBatch[] {
  return ticks.map(({ share, requests, stable, canary }, index) => {
    const shared = binomial(random, requests, share);
    const side = (count: number, behaviour: Behaviour): Outcomes =>
      hasLatency ? outcomes(random, count, behaviour) : failing(binomial(random, count, behaviour.failing), count);
    return batchAt((index + 1) * tickMs, { stable: side(requests - shared, stable), canary: side(shared, canary) });
  });
}

import { LATENCY_BOUNDS_MS } from "../../src/contract/names.ts";
import { type CheckRecord, type VerdictRecord, VerdictRecordSchema } from "../../src/contract/verdict.ts";
import { judge, startJudge } from "../../src/core/judge/judge.ts";
import type { JudgeState } from "../../src/core/judge/state.ts";
import type { EvidenceBatch, FailedUsers, JudgePolicy, Outcomes } from "../../src/core/judge/types.ts";
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

/** What a batch says besides its time and run. */
export type BatchParts = Partial<Omit<EvidenceBatch, "nowMs" | "run" | "runCanary">>;

/** A batch of run 1, all of whose canary outcomes are of that run. */
export const batchAt = (afterMs: number, sides: BatchParts): EvidenceBatch => ({
  nowMs: SINCE_MS + afterMs,
  run: 1,
  runCanary: sides.canary?.requests ?? 0,
  stable: none,
  canary: none,
  ...sides,
});

/** Outcomes of which users are known: so many of the failures are of users that never failed before, so many of users known to fail before. */
export const failingUsers = (failed: number, requests: number, users: FailedUsers): Outcomes => ({ ...failing(failed, requests), users });

/** The same again and again, one batch each second. */
export const repeated = (times: number, sides: BatchParts, fromMs = 0): EvidenceBatch[] =>
  Array.from({ length: times }, (_, index) => batchAt(fromMs + (index + 1) * 1_000, sides));

/** The last record of all, which keeps the contract. */
export const lastRecord = (batches: readonly EvidenceBatch[], given: JudgePolicy = policy): VerdictRecord =>
  VerdictRecordSchema.parse(judgeAll(batches, given).records.at(-1));

/** The check of this name in a record. */
export function checkIn({ checks }: VerdictRecord, name: string): CheckRecord {
  const check = checks.find((each) => each.name === name);
  if (check === undefined) throw new Error(`no check ${name} among ${checks.map((each) => each.name).join(", ")}`);
  return check;
}

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

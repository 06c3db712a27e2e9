import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { VerdictRecordSchema } from "../../src/contract/verdict.ts";
import { judge, startJudge } from "../../src/core/judge/judge.ts";
import { type JudgeState, JudgeStateSchema } from "../../src/core/judge/state.ts";
import type { EvidenceBatch, Outcomes } from "../../src/core/judge/types.ts";
import { judgeAll, none, policy, SINCE_MS } from "../support/judge-inputs.ts";

const count = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 100_000 }));
const outcomes: fc.Arbitrary<Outcomes> = fc
  .record({ ok: count, failed: count, decided: count, settled: count, latency: fc.array(count, { maxLength: 24 }) })
  .map(({ ok, ...rest }) => ({ ...rest, requests: ok + rest.failed }));
const batch: fc.Arbitrary<EvidenceBatch> = fc.record({
  nowMs: fc.integer({ min: SINCE_MS - 1_000, max: SINCE_MS + 10_000_000 }),
  run: fc.integer({ min: 1, max: 3 }),
  runCanary: count,
  stable: fc.oneof(outcomes, fc.constant(none)),
  canary: fc.oneof(outcomes, fc.constant(none)),
});
const wildNumber = fc.oneof(count, fc.constantFrom(Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, 2 ** 60));
const wildOutcomes = fc.record({
  decided: wildNumber,
  settled: wildNumber,
  requests: wildNumber,
  failed: wildNumber,
  latency: fc.array(wildNumber, { maxLength: 30 }),
});
const wildBatch = fc.record({ nowMs: wildNumber, run: wildNumber, runCanary: wildNumber, stable: wildOutcomes, canary: wildOutcomes });
const batches = fc.array(batch, { maxLength: 30 });

const stored = (state: JudgeState): JudgeState => JudgeStateSchema.parse(JSON.parse(JSON.stringify(state)));

describe("the judge", () => {
  test.prop([batches, batches])("goes on from its stored state as if nothing had happened", (before, after) => {
    const { state } = judgeAll(before);
    expect(stored(state)).toEqual(state);
    let [kept, read] = [state, stored(state)];
    for (const each of after) {
      const [a, b] = [judge(policy, kept, each), judge(policy, read, each)];
      expect(b).toEqual(a);
      [kept, read] = [a.state, stored(b.state)];
    }
  });

  test.prop([fc.array(fc.oneof(batch, wildBatch), { maxLength: 20 })])("answers anything with a record that keeps the contract", (told) => {
    for (const record of judgeAll(told).records) expect(VerdictRecordSchema.parse(record)).toEqual(record);
  });

  test.prop([batches])("never advances, or calls a share safe, without outcomes of both sides", (told) => {
    for (const side of ["stable", "canary"] as const) {
      const { records } = judgeAll(told.map((each) => ({ ...each, [side]: none })));
      expect(records.every(({ verdict, safeShareBp }) => verdict === "unknown" && safeShareBp === 0)).toBe(true);
    }
  });

  test.prop([batches])("advances only with the minimum sample of the run, and a share that is safe", (told) => {
    const advances = judgeAll(told).records.filter(({ verdict }) => verdict === "advance");
    expect(advances.every(({ runSample, safeShareBp }) => runSample >= policy.minSample && safeShareBp > 0)).toBe(true);
  });

  test.prop([batches])("calls no share safe when it rolls back, and says which check and how sure it is", (told) => {
    const backs = judgeAll(told).records.filter(({ verdict }) => verdict === "rollback");
    expect(backs.every(({ safeShareBp, reason }) => safeShareBp === 0 && / : 1 that it is worse by more than /.test(reason))).toBe(true);
  });

  test.prop([batch])("leaves the state that it was given as it was", (each) => {
    const state = startJudge(SINCE_MS);
    judge(policy, state, each);
    expect(state).toEqual(startJudge(SINCE_MS));
  });
});

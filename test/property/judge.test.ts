import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { VerdictRecordSchema } from "../../src/contract/verdict.ts";
import { judge, startJudge } from "../../src/core/judge/judge.ts";
import { type JudgeState, JudgeStateSchema } from "../../src/core/judge/state.ts";
import type { EvidenceBatch, JudgePolicy, Outcomes } from "../../src/core/judge/types.ts";
import { judgeAll, none, policy, SINCE_MS } from "../support/judge-inputs.ts";

const count = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 100_000 }));
const outcomes: fc.Arbitrary<Outcomes> = fc
  .record({ ok: count, failed: count, decided: count, settled: count, latency: fc.array(count, { maxLength: 24 }) })
  .map(({ ok, ...rest }) => ({ ...rest, requests: ok + rest.failed }));
/** Users are known or not; where they are, sketches may estimate more than there are. */
const side = fc
  .tuple(fc.oneof(outcomes, fc.constant(none)), fc.option(fc.record({ newly: count, knownRequests: count }), { nil: undefined }))
  .map(([each, users]): Outcomes => (users === undefined ? each : { ...each, users }));
const halves = fc.record({ hosts: side, keys: side }, { requiredKeys: [] });
const split = fc
  .record({ shareBp: fc.integer({ min: 0, max: 10_000 }), canary: count, more: count })
  .map(({ shareBp, canary, more }) => ({ shareBp, canary, all: canary + more }));
const own = fc.dictionary(
  fc.constantFrom("orders", "refunds", "unknown"),
  fc.record({ canaryHits: count, canary: count, stableHits: count, stable: count }),
);
const batch: fc.Arbitrary<EvidenceBatch> = fc.record(
  {
    nowMs: fc.integer({ min: SINCE_MS - 1_000, max: SINCE_MS + 10_000_000 }),
    run: fc.integer({ min: 1, max: 3 }),
    runCanary: count,
    stable: side,
    canary: side,
    halves,
    split,
    own,
  },
  { requiredKeys: ["nowMs", "run", "runCanary", "stable", "canary"] },
);
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
/** A policy that asks all that one can ask. */
const asking: JudgePolicy = {
  ...policy,
  errorObjective: 0.01,
  own: [
    { name: "orders", harm: "lower", tolerated: 0.1, weight: "critical" },
    { name: "refunds", harm: "higher", tolerated: 0.1, weight: 20 },
  ],
};
const policies = fc.constantFrom(policy, asking);

const stored = (state: JudgeState): JudgeState => JudgeStateSchema.parse(JSON.parse(JSON.stringify(state)));

describe("the judge", () => {
  test.prop([policies, batches, batches])("goes on from its stored state as if nothing had happened", (given, before, after) => {
    const { state } = judgeAll(before, given);
    expect(stored(state)).toEqual(state);
    let [kept, read] = [state, stored(state)];
    for (const each of after) {
      const [a, b] = [judge(given, kept, each), judge(given, read, each)];
      expect(b).toEqual(a);
      [kept, read] = [a.state, stored(b.state)];
    }
  });

  test.prop([policies, fc.array(fc.oneof(batch, wildBatch), { maxLength: 20 })])(
    "answers anything with a record that keeps the contract",
    (given, told) => {
      for (const record of judgeAll(told, given).records) expect(VerdictRecordSchema.parse(record)).toEqual(record);
    },
  );

  test.prop([policies, batches])("rolls back exactly when the odds are one to alpha, with weights that add up to 1", (given, told) => {
    for (const { verdict, odds, alpha, checks } of judgeAll(told, given).records) {
      expect(verdict === "rollback").toBe(odds >= 1 / alpha);
      expect(checks.reduce((all, { weight }) => all + weight, 0)).toBeCloseTo(1, 9);
    }
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
    const isSaid = (reason: string): boolean => / : 1 that it is worse by more than /.test(reason);
    expect(backs.every(({ safeShareBp, reason }) => safeShareBp === 0 && isSaid(reason))).toBe(true);
  });

  test.prop([batch])("leaves the state that it was given as it was", (each) => {
    const state = startJudge(SINCE_MS);
    judge(policy, state, each);
    expect(state).toEqual(startJudge(SINCE_MS));
  });
});

import { describe, expect, test } from "vitest";
import { logBet } from "../../../../src/core/judge/bet.ts";
import { judge, startJudge } from "../../../../src/core/judge/judge.ts";
import { JudgeStateSchema } from "../../../../src/core/judge/state.ts";
import type { EvidenceBatch } from "../../../../src/core/judge/types.ts";
import { batchAt, failing, judgeAll, none, policy, SINCE_MS } from "../../../support/judge-inputs.ts";
import { randomOf } from "../../../support/random.ts";

const good = batchAt(1_000, { stable: failing(1, 1_000), canary: failing(0, 100) });

describe("counts that make no sense are no data", () => {
  test.each<{ title: string; batch: EvidenceBatch }>([
    { title: "NaN", batch: { ...good, canary: failing(Number.NaN, 100) } },
    { title: "a negative count, like after a reset", batch: { ...good, stable: failing(1, -1) } },
    { title: "a fraction", batch: { ...good, stable: failing(0.5, 100) } },
    { title: "infinity", batch: { ...good, stable: failing(0, Number.POSITIVE_INFINITY) } },
    { title: "more failures than requests", batch: { ...good, canary: failing(101, 100) } },
    { title: "a negative bucket", batch: { ...good, canary: { ...none, latency: [1, -1] } } },
    { title: "a bucket too many", batch: { ...good, stable: { ...none, latency: new Array<number>(25).fill(1) } } },
    { title: "a run that is no number", batch: { ...good, run: Number.NaN } },
    { title: "a time that is no number", batch: { ...good, nowMs: Number.NaN } },
  ])("$title", ({ batch }) => {
    const before = judgeAll([good, good]);
    expect(judge(policy, before.state, batch)).toEqual({ state: before.state, record: before.records[1] });
  });
});

describe("time", () => {
  test("does not go back when another leader's clock is behind", () => {
    const { records, state } = judgeAll([
      { ...good, nowMs: SINCE_MS + 60_000 },
      { ...good, nowMs: SINCE_MS - 60_000 },
    ]);
    expect(records.map(({ atMs }) => atMs)).toEqual([SINCE_MS + 60_000, SINCE_MS + 60_000]);
    expect(state.metrics.errors.betAtMs).toBe(SINCE_MS + 60_000);
  });

  test("puts the reserve on the bets bit by bit for thirty days, and no more", () => {
    const afterMs = [0, 30_000, 86_400_000, 30 * 86_400_000, 60 * 86_400_000];
    const judged = afterMs.map((_, index) => judgeAll(afterMs.slice(0, index + 1).map((ms) => batchAt(ms, {}))));
    expect(judged.map(({ records }) => records.at(-1)?.checks[0]?.odds)).toEqual(afterMs.map(() => expect.closeTo(1, 9)));
    const wealth = judged.map(({ state }) => state.metrics.errors.harm[0]?.wealth);
    expect(wealth).toEqual([0.5, 0.53, 0.85, 1, 1].map((expected) => expect.closeTo(expected, 2)));
  });
});

describe("outcomes wait for those of the other side", () => {
  const errorsAfter = (batches: readonly EvidenceBatch[]) => judgeAll(batches).state.metrics.errors;

  test("stable is learned at once before the canary begins", () => {
    const metric = errorsAfter([batchAt(1_000, { stable: failing(30, 1_000) })]);
    expect(metric).toMatchObject({ batch: { stable: 0 }, long: { hits: 30, all: 1_000 } });
  });

  test("stable waits for the canary's next for half a minute, then it is only learned", () => {
    const waiting = [good, batchAt(2_000, { stable: failing(0, 10) }), batchAt(30_900, { stable: failing(0, 10) })];
    expect(errorsAfter(waiting).batch).toMatchObject({ stable: 20, canary: 0 });
    const learned = errorsAfter([...waiting, batchAt(31_000, { stable: failing(0, 10) })]);
    expect(learned.batch).toMatchObject({ stable: 0, canary: 0 });
    expect(learned.harm).toMatchObject(errorsAfter([good]).harm.map(({ odds }) => ({ odds })));
  });

  test("the canary waits for stable as long as it takes", () => {
    const waiting = [good, batchAt(2_000, { canary: failing(1, 10) }), batchAt(900_000, { canary: failing(1, 10) })];
    expect(errorsAfter(waiting).batch).toEqual({ stable: 0, stableHits: 0, canary: 20, canaryHits: 2 });
  });
});

describe("a bet", () => {
  test("is placed on what stable did before, and never on what the batch itself tells of it", () => {
    const past = batchAt(0, { stable: failing(30, 1_000) });
    const { state } = judgeAll([past, batchAt(0, { stable: failing(90, 300), canary: failing(1, 20) })]);
    const level = 1.1 * 0.03 + policy.maxErrorIncrease;
    const expected = state.metrics.errors.harm.map(({ odds }) => {
      const guess = { stable: 0.03, canary: (odds * level) / (1 - level + odds * level) };
      const counts = { canaryHits: 1, canary: 20, stableHits: 90, stable: 300 };
      const win = logBet(counts, { factor: 1.1, margin: policy.maxErrorIncrease }, guess);
      return { odds, wealth: expect.closeTo(0.5 * Math.exp(win / 1.2), 12) };
    });
    expect(state.metrics.errors.harm).toEqual(expected);
  });
});

describe("a plan that tolerates something else", () => {
  test("is judged by new bets, with the totals kept", () => {
    const before = judgeAll(Array.from({ length: 10 }, (_, index) => ({ ...good, nowMs: SINCE_MS + index * 1_000 })));
    const { state, record } = judge({ ...policy, maxErrorIncrease: 0.02 }, before.state, {
      ...good,
      nowMs: SINCE_MS + 10_000,
      canary: none,
      runCanary: 0,
    });
    expect(before.records.at(-1)?.verdict).toBe("advance");
    expect(record).toMatchObject({ verdict: "unknown" });
    expect(record.checks[0]).toMatchObject({ threshold: 0.02, upper: null, canarySample: 1_000 });
    expect(state.metrics.slowP50).toMatchObject({ tolerated: 0.02 });
  });

  test("always has the tolerated margin to prove, however wide", () => {
    const { state } = judgeAll([good], { ...policy, maxErrorIncrease: 0.97 });
    expect(state.metrics.errors.safe.map(({ times }) => times)).toEqual([0.5, 1]);
  });
});

describe("the state", () => {
  test("is JSON before any outcome", () => {
    expect(JudgeStateSchema.parse(JSON.parse(JSON.stringify(startJudge(5))))).toEqual(startJudge(5));
  });

  test("keeps a bet that is lost for good at 0, also when it would have won without limit", () => {
    const lost = batchAt(0, { stable: failing(0, 45_000), canary: failing(6, 6) });
    const won = batchAt(0, { stable: failing(20_000, 20_000), canary: failing(0, 50_000) });
    const { state } = judgeAll([
      lost,
      ...Array.from({ length: 20 }, () => batchAt(0, { stable: failing(0, 45_000), canary: failing(400, 400) })),
      won,
    ]);
    const wealth = [...state.metrics.errors.harm, ...state.metrics.errors.safe.flatMap(({ bets }) => bets)].map((bet) => bet.wealth);
    expect(wealth.every(Number.isFinite)).toBe(true);
    expect(wealth).toContain(0);
  });

  test("stays finite whatever happens for whatever long", () => {
    const random = randomOf(7);
    const wild = Array.from({ length: 400 }, (_, index) => {
      const isBad = random() < 0.5;
      return batchAt(index * 60_000, { stable: failing(isBad ? 0 : 1_000, 1_000), canary: failing(isBad ? 1_000 : 0, 1_000) });
    });
    const { state } = judgeAll(wild);
    expect(JudgeStateSchema.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
  });
});

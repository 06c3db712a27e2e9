import { describe, expect, test } from "vitest";
import { logBet } from "../../../../src/core/judge/bet.ts";
import { judge, startJudge } from "../../../../src/core/judge/judge.ts";
import { HARM_FACTOR, HARM_ODDS, START_WEALTH } from "../../../../src/core/judge/parameters.ts";
import { type JudgeState, JudgeStateSchema, type MetricState } from "../../../../src/core/judge/state.ts";
import type { EvidenceBatch } from "../../../../src/core/judge/types.ts";
import { batchAt, failing, failingUsers, judgeAll, none, policy, repeated, SINCE_MS } from "../../../support/judge-inputs.ts";
import { randomOf } from "../../../support/random.ts";

function metricIn({ metrics }: JudgeState, key: string): MetricState {
  const metric = metrics[key];
  if (metric === undefined) throw new Error(`no metric ${key}`);
  return metric;
}

const good = batchAt(1_000, { stable: failing(1, 1_000), canary: failing(0, 100) });

const half = failingUsers(1, 10, { newly: 1, knownRequests: 0 });
const counts = { canaryHits: 1, canary: 2, stableHits: 1, stable: 2 };

describe("counts that make no sense are no data", () => {
  test.each<{ title: string; batch: EvidenceBatch }>([
    { title: "NaN", batch: { ...good, canary: failing(Number.NaN, 100) } },
    { title: "a negative count, like after a reset", batch: { ...good, stable: failing(1, -1) } },
    { title: "a fraction", batch: { ...good, stable: failing(0.5, 100) } },
    { title: "infinity", batch: { ...good, stable: failing(0, Number.POSITIVE_INFINITY) } },
    { title: "more failures than requests", batch: { ...good, canary: failing(101, 100) } },
    { title: "decisions that are no count", batch: { ...good, canary: { ...none, decided: -5 } } },
    { title: "ends that are no count", batch: { ...good, canary: { ...none, settled: -5 } } },
    { title: "a negative bucket", batch: { ...good, canary: { ...none, latency: [1, -1] } } },
    { title: "a bucket too many", batch: { ...good, stable: { ...none, latency: new Array<number>(25).fill(1) } } },
    { title: "a run that is no number", batch: { ...good, run: Number.NaN } },
    { title: "a run's outcomes that are no number", batch: { ...good, runCanary: Number.NaN } },
    { title: "a time that is no number", batch: { ...good, nowMs: Number.NaN } },
    { title: "fewer than no users", batch: { ...good, canary: { ...half, users: { newly: -1, knownRequests: 0 } } } },
    { title: "half a request of known users", batch: { ...good, canary: { ...half, users: { newly: 1, knownRequests: 0.5 } } } },
    { title: "a half of hosts with more failures than requests", batch: { ...good, halves: { hosts: failing(2, 1) } } },
    { title: "a half of keys with a negative bucket", batch: { ...good, halves: { keys: { ...half, latency: [-1] } } } },
    { title: "a share above 100 %", batch: { ...good, split: { shareBp: 10_001, canary: 1, all: 2 } } },
    { title: "a share that is no number", batch: { ...good, split: { shareBp: Number.NaN, canary: 1, all: 2 } } },
    { title: "more decisions for the canary than there were", batch: { ...good, split: { shareBp: 100, canary: 3, all: 2 } } },
    { title: "fewer than no decisions", batch: { ...good, split: { shareBp: 100, canary: -1, all: 2 } } },
    { title: "decisions without a number", batch: { ...good, split: { shareBp: 100, canary: 0, all: Number.NaN } } },
    ...(["canaryHits", "canary", "stableHits", "stable"] as const).map((key) => ({
      title: `an own check's ${key} below 0`,
      batch: { ...good, own: { orders: { ...counts, [key]: -1 } } },
    })),
  ])("$title", ({ batch }) => {
    const before = judgeAll([good, good]);
    const after = judge(policy, before.state, batch);
    const { inputs: _a, ...known } = before.state;
    const { inputs: _b, ...knownAfter } = after.state;
    expect(knownAfter).toEqual(known);
    expect(after.record).toEqual({ ...before.records[1], inputs: after.state.inputs });
  });

  test("and what does is: halves, split and own counts with good ones", () => {
    const whole = { ...good, halves: { hosts: half, keys: half }, split: { shareBp: 10_000, canary: 2, all: 2 }, own: { orders: counts } };
    expect(judgeAll([whole]).state.split).not.toEqual(judgeAll([good]).state);
    expect(judgeAll([whole]).state.canary.requests).toBe(100);
  });
});

describe("time", () => {
  test("does not go back when another leader's clock is behind", () => {
    const { records, state } = judgeAll([
      { ...good, nowMs: SINCE_MS + 60_000 },
      { ...good, nowMs: SINCE_MS - 60_000 },
    ]);
    expect(records.map(({ atMs }) => atMs)).toEqual([SINCE_MS + 60_000, SINCE_MS + 60_000]);
    expect(metricIn(state, "errors").betAtMs).toBe(SINCE_MS + 60_000);
  });

  test("puts the reserve on the bets bit by bit for thirty days from the canary's first outcome, and no more", () => {
    const afterMs = [0, 30_000, 86_400_000, 30 * 86_400_000, 60 * 86_400_000];
    const judged = afterMs.map((_, index) =>
      judgeAll(afterMs.slice(0, index + 1).map((ms) => batchAt(ms, ms === 0 ? { canary: failing(0, 1) } : {}))),
    );
    expect(judged.map(({ records }) => records.at(-1)?.checks[0]?.odds)).toEqual(afterMs.map(() => expect.closeTo(1, 9)));
    const wealth = judged.map(({ state }) => metricIn(state, "errors").harm[0]);
    expect(wealth).toEqual([0.5, 0.53, 0.85, 1, 1].map((expected) => expect.closeTo(expected, 2)));
  });
});

describe("outcomes wait for those of the other side", () => {
  const errorsAfter = (batches: readonly EvidenceBatch[]) => metricIn(judgeAll(batches).state, "errors");

  test("stable is learned at once before the canary begins", () => {
    const metric = errorsAfter([batchAt(1_000, { stable: failing(30, 1_000) })]);
    expect(metric).toMatchObject({ batch: { stable: 0 }, long: { hits: 30, all: 1_000 } });
  });

  test("stable waits for the canary's next for half a minute, then it is only learned", () => {
    const waiting = [good, batchAt(2_000, { stable: failing(0, 10) }), batchAt(30_900, { stable: failing(0, 10) })];
    expect(errorsAfter(waiting).batch).toMatchObject({ stable: 20, canary: 0 });
    const learned = errorsAfter([...waiting, batchAt(31_000, { stable: failing(0, 10) })]);
    expect(learned.batch).toMatchObject({ stable: 0, canary: 0 });
    expect(learned.totals).toEqual({ ...errorsAfter([good]).totals, stable: 1_030 });
  });

  test("the canary waits for stable as long as it takes", () => {
    const waiting = [good, batchAt(2_000, { canary: failing(1, 10) }), batchAt(900_000, { canary: failing(1, 10) })];
    expect(errorsAfter(waiting).batch).toEqual({ stable: 0, stableHits: 0, canary: 20, canaryHits: 2 });
  });
});

describe("a bet", () => {
  test("is placed on what stable did before, and never on what the batch itself tells of it", () => {
    const past = batchAt(0, { stable: failing(30, 1_000) });
    const { state, records } = judgeAll([past, batchAt(0, { stable: failing(90, 300), canary: failing(1, 20) })]);
    const level = HARM_FACTOR * 0.03 + policy.maxErrorIncrease;
    const expected = HARM_ODDS.map((odds) => {
      const guess = { stable: 0.03, canary: (odds * level) / (1 - level + odds * level) };
      const batch = { canaryHits: 1, canary: 20, stableHits: 90, stable: 300 };
      const win = logBet(batch, { factor: HARM_FACTOR, margin: policy.maxErrorIncrease }, guess);
      return expect.closeTo(START_WEALTH * Math.exp(win / Number(records[1]?.checks[0]?.dispersion)), 9);
    });
    expect(metricIn(state, "newly").harm).toEqual(expected);
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
    expect(metricIn(state, "errors").totals.canary).toBe(1_000);
  });

  test("is a question of errors alone where only these are tolerated otherwise: slow bets go on", () => {
    const before = judgeAll([good]).state;
    const { state } = judge({ ...policy, maxErrorIncrease: 0.02 }, before, { ...good, nowMs: SINCE_MS + 2_000 });
    expect(metricIn(state, "slowP50").question).toEqual(metricIn(before, "slowP50").question);
    expect(metricIn(state, "errors").question).not.toEqual(metricIn(before, "errors").question);
  });

  test.each([
    { title: "a wider rise to disprove", given: { ...policy, errorProof: 0.01 } },
    { title: "a narrower one", given: { ...policy, errorProof: 0.001 } },
  ])("asks for other proofs: $title", ({ given }) => {
    const bets = metricIn(judgeAll([good], given).state, "newly");
    expect(bets.question.slice(2).every((margin) => margin > 0 && margin < 1)).toBe(true);
    expect(bets.question).toContain(given.errorProof);
    expect(bets.safe).toHaveLength(2 * (bets.question.length - 2));
  });

  test("that tolerates nearly everything rolls nobody back for errors", () => {
    const { records } = judgeAll(repeated(30, { stable: failing(0, 1_000), canary: failing(100, 100) }), {
      ...policy,
      maxErrorIncrease: 0.99,
    });
    expect(records.some(({ verdict }) => verdict === "rollback")).toBe(false);
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
    const { harm, safe } = metricIn(state, "newly");
    const wealth = [...harm, ...safe];
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

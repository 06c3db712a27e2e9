import { describe, expect, test } from "vitest";
import { VerdictRecordSchema } from "../../../../src/contract/verdict.ts";
import type { EvidenceBatch } from "../../../../src/core/judge/types.ts";
import { batchAt, failing, judgeAll, policy, SINCE_MS } from "../../../support/judge-inputs.ts";

/** The same batch again and again, a second apart. */
const repeated = (times: number, sides: Parameters<typeof batchAt>[1], fromMs = 0): EvidenceBatch[] =>
  Array.from({ length: times }, (_, index) => batchAt(fromMs + (index + 1) * 1_000, sides));

const last = (batches: readonly EvidenceBatch[], given = policy) => {
  const record = VerdictRecordSchema.parse(judgeAll(batches, given).records.at(-1));
  return { record, errors: record.checks.find(({ name }) => name === "errors") };
};

const healthy = repeated(20, { stable: failing(1, 1_000), canary: failing(0, 100) });

describe("no data is never fine", () => {
  const canary = failing(0, 1_000);
  const stable = failing(1, 1_000);
  test.each([
    { title: "nothing at all", batches: [batchAt(1_000, {})], reason: "no outcome of the canary yet" },
    { title: "stable alone", batches: repeated(60, { stable }), reason: "no outcome of the canary yet" },
    { title: "canary alone", batches: repeated(60, { canary }), reason: "no outcome of stable to compare the canary with" },
    {
      title: "two outcomes",
      batches: [batchAt(1_000, { stable, canary: failing(0, 2) })],
      reason: "too little to prove anything: 2 outcomes of the canary",
    },
  ])("$title is unknown", ({ batches, reason }) => {
    expect(last(batches).record).toMatchObject({ verdict: "unknown", reason, safeShareBp: 0 });
  });
});

describe("a canary that fails is taken back", () => {
  const past = [batchAt(5_000, { stable: failing(1, 1_000) })];
  const all25 = { stable: failing(0, 100), canary: failing(25, 25) };

  test("by one batch of 25 failures, when it covers two seconds", () => {
    expect(last([...past, batchAt(7_000, all25)]).record).toMatchObject({
      verdict: "rollback",
      reason: "errors 100 % on canary against 0.091 % on stable over the whole rollout: 2,300 : 1 that it is worse by more than 0.5 points",
      safeShareBp: 0,
    });
  });

  test("not by a single burst, but by a second one", () => {
    const { records } = judgeAll([...past, batchAt(5_100, all25), batchAt(5_200, all25)]);
    expect(records.map(({ verdict }) => verdict)).toEqual(["unknown", "hold", "rollback"]);
  });

  test("after three failures that arrive one by one", () => {
    const one = { stable: failing(0, 100), canary: failing(1, 1) };
    const { records } = judgeAll([...past, ...[1, 2, 3, 4].map((index) => batchAt(5_000 + index * 100, one))]);
    expect(records.findIndex(({ verdict }) => verdict === "rollback")).toBeLessThanOrEqual(3);
  });

  test("also when failing begins after an hour without fault", () => {
    const hour = Array.from({ length: 360 }, (_, index) =>
      batchAt((index + 1) * 10_000, { stable: failing(2, 2_000), canary: failing(0, 100) }),
    );
    const bad = [1, 2, 3, 4, 5].map((index) => batchAt(3_600_000 + index * 1_000, all25));
    expect(last([...hour, ...bad]).record.verdict).toBe("rollback");
  });

  test("also when its failures were counted before any of stable's outcomes", () => {
    expect(last([batchAt(1_000, { canary: failing(25, 25) }), batchAt(3_000, { stable: failing(0, 500) })]).record.verdict).toBe(
      "rollback",
    );
  });
});

describe("a canary that does as stable does", () => {
  test("may go on as far as the proven bound is small", () => {
    const { record, errors } = last(healthy);
    expect(record).toMatchObject({
      verdict: "advance",
      safeShareBp: 10_000,
      sinceMs: SINCE_MS,
      atMs: SINCE_MS + 20_000,
      run: 1,
      runSample: 2_000,
    });
    expect(record.reason).toBe("errors 0 % on canary against 0.1 % on stable: worse by at most 0.5 points, safe up to 100 %");
    expect(errors).toEqual({
      name: "errors",
      verdict: "advance",
      stable: 0.001,
      canary: 0,
      difference: -0.001,
      upper: 0.005,
      threshold: 0.005,
      odds: expect.any(Number),
      stableSample: 20_000,
      canarySample: 2_000,
    });
    expect(errors?.odds).toBeLessThan(1);
  });

  test.each([
    { outcomes: 60, atMost: 0.1, safeShareBp: 500 },
    { outcomes: 400, atMost: 0.015, safeShareBp: 6_666 },
    { outcomes: 3_000, atMost: 0.005, safeShareBp: 10_000 },
  ])("is safe for $safeShareBp basis points or more after $outcomes outcomes", ({ outcomes, atMost, safeShareBp }) => {
    const { record, errors } = last(repeated(10, { stable: failing(1, 1_000), canary: failing(0, outcomes / 10) }));
    expect(errors?.upper).toBeLessThanOrEqual(atMost);
    expect(record.safeShareBp).toBeGreaterThanOrEqual(safeShareBp / 2);
  });

  test("holds until this stage has its minimum sample, though the bound is proven", () => {
    const next = { ...batchAt(21_000, { stable: failing(1, 1_000), canary: failing(0, 100) }), run: 2, runCanary: 49 };
    expect(last([...healthy, next]).record).toMatchObject({
      verdict: "hold",
      reason: "49 of 50 outcomes of the canary in this stage",
      safeShareBp: 10_000,
      run: 2,
      runSample: 49,
    });
    expect(last([...healthy, next, { ...next, nowMs: next.nowMs + 1, runCanary: 1 }]).record).toMatchObject({
      verdict: "advance",
      runSample: 50,
    });
  });

  test("holds while there is a suspicion, however much is proven", () => {
    const suspicious = batchAt(20_500, { stable: failing(0, 100), canary: failing(6, 6) });
    const { record, errors } = last([...healthy, suspicious]);
    expect(record).toMatchObject({ verdict: "hold", safeShareBp: expect.any(Number) });
    expect(record.reason).toMatch(
      /^errors 0\.3 % on canary against 0\.1 % on stable over the whole rollout: [\d,]+ : 1 that it is worse by more than 0\.5 points, though not all the time$/,
    );
    expect(errors).toMatchObject({ verdict: "hold" });
  });

  const minutes = repeated(600, { stable: failing(1, 1_000), canary: failing(0, 100) });
  const outage = repeated(60, { stable: failing(400, 1_000), canary: failing(40, 100) }, 600_000);

  test("is not blamed for an outage of both, and nothing advances meanwhile", () => {
    const during = judgeAll([...minutes, ...outage]).records.slice(minutes.length);
    expect(new Set(during.map(({ verdict }) => verdict))).toEqual(new Set(["hold"]));
    expect(during.at(-1)?.reason).toBe("stable itself fails more than usual, 3.7 % over the whole rollout");
  });

  test("advances again when the outage is over", () => {
    const after = repeated(60, { stable: failing(1, 1_000), canary: failing(0, 100) }, 660_000);
    expect(last([...minutes, ...outage, ...after]).record.verdict).toBe("advance");
  });

  test("does not wait for ever for a stable that always fails a little", () => {
    const { record } = last(repeated(120, { stable: failing(50, 1_000), canary: failing(5, 100) }));
    expect(record.verdict).toBe("advance");
  });

  test("is neither blamed nor cleared where all of stable fails from the start", () => {
    const { record } = last(repeated(60, { stable: failing(1_000, 1_000), canary: failing(100, 100) }));
    expect(record.verdict).not.toBe("rollback");
  });
});

describe("slowness", () => {
  /** 100 requests in a hundred: some up to 20 ms, some up to 40 ms, some up to 300 ms. */
  const latency = ([fast, middling, slow]: readonly [number, number, number], times: number): number[] => {
    const counts = new Array<number>(24).fill(0);
    counts[7] = fast * times;
    counts[9] = middling * times;
    counts[15] = slow * times;
    return counts;
  };
  const side = (shape: readonly [number, number, number], times: number) => ({
    ...failing(0, 100 * times),
    latency: latency(shape, times),
  });
  const usual = [50, 40, 10] as const;
  const both = (canary: readonly [number, number, number]) => ({ stable: side(usual, 10), canary: side(canary, 2) });

  test("is not judged before stable's own quantiles are known", () => {
    const { record } = last([batchAt(1_000, { stable: side(usual, 4), canary: side([0, 0, 100], 1) })]);
    expect(record.checks.slice(1)).toEqual(
      ["slow p50", "slow p90", "slow p99"].map((name) => ({
        name,
        verdict: "unknown",
        stable: null,
        canary: null,
        difference: null,
        upper: null,
        threshold: 0.02,
        odds: 1,
        stableSample: 400,
        canarySample: 100,
      })),
    );
  });

  test("that is gross is found at once", () => {
    const { record } = last(repeated(5, both([0, 0, 100])));
    expect(record.verdict).toBe("rollback");
    expect(record.reason).toMatch(
      /^slow p90 \(above 40 ms\) 100 % on canary against 10 % on stable over the whole rollout: [\d,]+ : 1 that it is worse by more than 2 points$/,
    );
  });

  test("that a cold canary may show is not held against it in its first half minute, but is later", () => {
    const { records } = judgeAll(repeated(45, both([0, 90, 10])));
    const first = records.findIndex(({ verdict }) => verdict === "rollback");
    expect(first).toBeGreaterThanOrEqual(30);
    expect(first).toBeLessThan(40);
  });

  test("like stable's is proven in time, and does not stall the canary before", () => {
    const { records } = judgeAll(repeated(300, both(usual)));
    expect(records[4]).toMatchObject({ verdict: "advance" });
    expect(records[4]?.checks[1]).toMatchObject({ verdict: "unknown", upper: null, stable: 0.5, canary: 0.5, difference: 0 });
    expect(records.at(-1)?.checks.map(({ verdict }) => verdict)).toEqual(["advance", "advance", "advance", "advance"]);
  });

  test("keeps its bounds for the whole rollout, so that bets stay fair", () => {
    const before = judgeAll(repeated(5, both(usual))).state;
    const { state } = judgeAll([
      ...repeated(5, both(usual)),
      ...repeated(60, { stable: side([0, 10, 90], 10), canary: side([0, 10, 90], 2) }, 5_000),
    ]);
    const bounds = ({ metrics }: typeof state) => Object.values(metrics).map(({ bound }) => bound);
    expect(bounds(before)).toEqual([null, 7, 9, 9]);
    expect(bounds(state)).toEqual(bounds(before));
  });
});

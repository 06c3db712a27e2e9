import { describe, expect, test } from "vitest";
import { batchAt, checkIn, failing, judgeAll, lastRecord, policy, repeated, SINCE_MS } from "../../../support/judge-inputs.ts";

const good = { stable: failing(1, 1_000), canary: failing(0, 100) };
const healthy = repeated(60, good);

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
    {
      title: "one outcome",
      batches: [batchAt(1_000, { stable, canary: failing(0, 1) })],
      reason: "too little to prove anything: 1 outcome of the canary",
    },
  ])("$title is unknown", ({ batches, reason }) => {
    expect(lastRecord(batches)).toMatchObject({ verdict: "unknown", reason, safeShareBp: 0, proven: "nothing yet" });
  });

  test("the last outcome of the canary is told, and none before the first", () => {
    expect(lastRecord(repeated(3, { stable }))).not.toHaveProperty("canaryAtMs");
    expect(lastRecord([...healthy, ...repeated(9, { stable }, 60_000)])).toMatchObject({
      canaryAtMs: SINCE_MS + 60_000,
      atMs: SINCE_MS + 69_000,
    });
  });
});

describe("a canary that fails is taken back", () => {
  const past = [batchAt(5_000, { stable: failing(1, 1_000) })];
  const all25 = { stable: failing(0, 100), canary: failing(25, 25) };

  test("by one batch of 25 failures, when it covers two seconds", () => {
    const record = lastRecord([...past, batchAt(7_000, all25)]);
    expect(record).toMatchObject({ verdict: "rollback", safeShareBp: 0 });
    expect(record.reason).toMatch(
      /^errors 100 % on canary against 0\.091 % on stable over the whole rollout: [\d,]+ : 1 that it is worse by more than 0\.5 points$/,
    );
  });

  test("not by a single burst, but by a second one", () => {
    const { records } = judgeAll([...past, batchAt(5_100, all25), batchAt(5_200, all25)]);
    expect(records.map(({ verdict }) => verdict)).toEqual(["unknown", "hold", "rollback"]);
  });

  test("after a handful of failures that arrive one by one", () => {
    const one = { stable: failing(0, 100), canary: failing(1, 1) };
    const { records } = judgeAll([...past, ...[1, 2, 3, 4, 5, 6].map((index) => batchAt(5_000 + index * 100, one))]);
    expect(records.at(-1)?.verdict).toBe("rollback");
  });

  test("also when failing begins after an hour without fault", () => {
    const hour = Array.from({ length: 360 }, (_, index) => batchAt((index + 1) * 10_000, { ...good, stable: failing(2, 2_000) }));
    const bad = [1, 2, 3, 4, 5].map((index) => batchAt(3_600_000 + index * 1_000, all25));
    expect(lastRecord([...hour, ...bad]).verdict).toBe("rollback");
  });

  test("also when its failures were counted before any of stable's outcomes", () => {
    expect(lastRecord([batchAt(1_000, { canary: failing(25, 25) }), batchAt(3_000, { stable: failing(0, 500) })]).verdict).toBe("rollback");
  });

  test("exactly when the odds of all checks are one to alpha, and by a small alpha later", () => {
    const worse = repeated(60, { stable: failing(1, 1_000), canary: failing(3, 100) });
    const firsts = [0.01, 0.001].map((alpha) => {
      const { records } = judgeAll(worse, { ...policy, alpha });
      expect(records.map(({ verdict }) => verdict === "rollback")).toEqual(records.map(({ odds }) => odds >= 1 / alpha));
      expect(new Set(records.map((record) => record.alpha))).toEqual(new Set([alpha]));
      return records.findIndex(({ verdict }) => verdict === "rollback");
    });
    expect(firsts[0]).toBeGreaterThan(0);
    expect(firsts[1]).toBeGreaterThan(Number(firsts[0]));
  });
});

describe("a canary that does as stable does", () => {
  test("may go on as far as the proven bound is small", () => {
    const record = lastRecord(healthy);
    expect(record).toMatchObject({
      verdict: "advance",
      safeShareBp: 10_000,
      sinceMs: SINCE_MS,
      atMs: SINCE_MS + 60_000,
      run: 1,
      runSample: 6_000,
    });
    expect(record.reason).toMatch(/^errors 0 % on canary against 0\.1 % on stable: worse by at most 0\.\d+ points, safe up to 100 %$/);
    expect(record.proven).toMatch(/^not worse by more than 0\.\d+ points in errors$/);
    const errors = checkIn(record, "errors");
    expect(errors).toMatchObject({ verdict: "advance", stable: 0.001, canary: 0, difference: -0.001, threshold: 0.005 });
    expect(errors).toMatchObject({ stableSample: 60_000, canarySample: 6_000 });
    expect(errors.upper).toBeLessThanOrEqual(0.005);
    expect(errors.odds).toBeLessThan(1);
  });

  test("has a bound that falls, step by step, from unknown to the wanted one", () => {
    const uppers = judgeAll(healthy).records.map((record) => checkIn(record, "errors").upper ?? 1);
    expect(uppers).toEqual(uppers.toSorted((a, b) => b - a));
    expect(new Set(uppers).size).toBeGreaterThan(4);
  });

  test("holds until this stage has its minimum sample, though the bound is proven", () => {
    const next = { ...batchAt(61_000, good), run: 2, runCanary: 49 };
    expect(lastRecord([...healthy, next])).toMatchObject({
      verdict: "hold",
      reason: "49 of 50 outcomes of the canary in this stage",
      safeShareBp: 10_000,
      run: 2,
      runSample: 49,
    });
    const one = { ...next, nowMs: next.nowMs + 1, runCanary: 1 };
    expect(lastRecord([...healthy, next, one])).toMatchObject({ verdict: "advance", runSample: 50 });
  });

  test("says of a ramp that outcomes at this share are missing, as it has no stages", () => {
    const next = { ...batchAt(61_000, good), run: 2, runCanary: 49 };
    const { reason } = lastRecord([...healthy, next], { ...policy, isRamp: true });
    expect(reason).toBe("49 of 50 outcomes of the canary at this share");
  });

  test("holds while there is a suspicion, however much is proven", () => {
    const suspicious = repeated(40, { stable: failing(0, 100), canary: failing(2, 6) }, 60_000);
    const held = judgeAll([...healthy, ...suspicious]).records.find(({ verdict }) => verdict === "hold");
    expect(held?.reason).toMatch(
      /^errors 0\.\d+ % on canary against 0\.\d+ % on stable over the whole rollout: [\d.]+ : 1 that it is worse by more than 0\.5 points, though not all the time$/,
    );
    expect(held?.safeShareBp).toBeGreaterThan(0);
  });
});

describe("an outage of both sides", () => {
  const minutes = repeated(600, good);
  const outage = repeated(60, { stable: failing(400, 1_000), canary: failing(40, 100) }, 600_000);

  test("is not blamed on the canary, and nothing advances meanwhile", () => {
    const during = judgeAll([...minutes, ...outage]).records.slice(minutes.length);
    expect(new Set(during.map(({ verdict }) => verdict))).toEqual(new Set(["hold"]));
    expect(during.at(-1)?.reason).toMatch(/^stable itself fails more than usual, 3\.\d+ % over the whole rollout$/);
  });

  test("holds nothing any more when it is over", () => {
    const after = repeated(60, good, 660_000);
    expect(lastRecord([...minutes, ...outage, ...after]).verdict).toBe("advance");
  });

  test("that lasts is stable's usual within half an hour, so that no rollout waits for ever", () => {
    const lasting = Array.from({ length: 360 }, (_, index) => batchAt(60_000 + (index + 1) * 5_000, outageOf(400)));
    const verdicts = judgeAll([...healthy, ...lasting])
      .records.slice(healthy.length)
      .map(({ verdict }) => verdict);
    expect(verdicts).not.toContain("rollback");
    expect([verdicts[0], verdicts.at(-1)]).toEqual(["hold", "advance"]);
  });

  test("does not hide a canary that is worse than stable then", () => {
    const worse = repeated(60, { stable: failing(400, 1_000), canary: failing(95, 100) }, 600_000);
    expect(judgeAll([...minutes, ...worse]).records.at(-1)?.verdict).toBe("rollback");
  });

  test("is none where stable always fails a little", () => {
    expect(lastRecord(repeated(240, { stable: failing(50, 1_000), canary: failing(5, 100) })).verdict).toBe("advance");
  });

  test("from the start neither blames the canary nor clears it for everybody", () => {
    const { records } = judgeAll(repeated(60, { stable: failing(1_000, 1_000), canary: failing(100, 100) }));
    expect(records.some(({ verdict }) => verdict === "rollback")).toBe(false);
  });
});

/** So many of 1,000 fail on both sides. */
const outageOf = (failed: number) => ({ stable: failing(failed, 1_000), canary: failing(failed / 10, 100) });

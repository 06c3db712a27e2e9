import { describe, expect, test } from "vitest";
import { batchAt, checkIn, failing, judgeAll, lastRecord, repeated } from "../../../support/judge-inputs.ts";

type Shape = readonly [fast: number, middling: number, slow: number];

/** Of a hundred requests some take up to 20 ms, some up to 40 ms, some up to 300 ms. */
function side([fast, middling, slow]: Shape, times: number) {
  const latency = new Array<number>(24).fill(0);
  latency[7] = fast * times;
  latency[9] = middling * times;
  latency[15] = slow * times;
  return { ...failing(0, 100 * times), latency };
}
const USUAL: Shape = [50, 40, 10];
const both = (canary: Shape) => ({ stable: side(USUAL, 10), canary: side(canary, 2) });
const SLOW = ["slow p50", "slow p90", "slow p99"];

describe("slowness", () => {
  test("is not judged before stable's own quantiles are known", () => {
    const record = lastRecord([batchAt(1_000, { stable: side(USUAL, 4), canary: side([0, 0, 100], 1) })]);
    for (const name of SLOW) {
      expect(checkIn(record, name)).toMatchObject({
        verdict: "unknown",
        ...{ stable: null, canary: null, difference: null, upper: null },
        ...{ threshold: 0.02, odds: 1, stableSample: 400, canarySample: 100 },
      });
    }
  });

  test("that is gross is found at once", () => {
    const back = judgeAll(repeated(10, both([0, 0, 100]))).records.find(({ verdict }) => verdict === "rollback");
    expect(back?.reason).toMatch(
      /^slow p90 \(above 40 ms\) 100 % on canary against 10 % on stable over the whole rollout: [\d,]+ : 1 that it is worse by more than 2 points$/,
    );
  });

  test("that a cold canary may show is not held against it in its first minute, but is later", () => {
    const { records } = judgeAll(repeated(90, both([0, 90, 10])));
    const first = records.findIndex(({ verdict }) => verdict === "rollback");
    expect(first).toBeGreaterThanOrEqual(60);
    expect(first).toBeLessThan(80);
    expect(records.slice(0, 60).some(({ verdict }) => verdict === "hold")).toBe(false);
  });

  test("that ended with the first minute leaves no suspicion", () => {
    const { records } = judgeAll([...repeated(59, both([0, 90, 10])), ...repeated(120, both(USUAL), 59_000)]);
    expect(records.some(({ verdict }) => verdict === "rollback" || verdict === "hold")).toBe(false);
  });

  test("like stable's is proven in time, and until then the share is not everybody's", () => {
    const { records } = judgeAll(repeated(300, both(USUAL)));
    const first = records[55];
    expect(first).toMatchObject({ verdict: "advance" });
    expect(first?.safeShareBp).toBeLessThan(10_000);
    for (const name of SLOW) expect(first && checkIn(first, name)).toMatchObject({ verdict: "unknown", upper: null });
    const last = records.at(-1);
    expect(last?.checks.map(({ verdict }) => verdict)).toEqual(["advance", "advance", "advance", "advance"]);
    expect(last).toMatchObject({ safeShareBp: 10_000 });
    expect(last?.proven).toMatch(/^not worse by more than .* in errors, .* in slow p50 \(above 20 ms\), .* in slow p90 \(above 40 ms\)/);
  });

  test("keeps its bounds for the whole rollout, so that bets stay fair", () => {
    const before = repeated(5, both(USUAL));
    const slower = repeated(60, { stable: side([0, 10, 90], 10), canary: side([0, 10, 90], 2) }, 5_000);
    const bounds = (batches: typeof before) =>
      Object.fromEntries(Object.entries(judgeAll(batches).state.metrics).map(([key, { bound }]) => [key, bound]));
    expect(bounds(before)).toEqual({ newly: null, errors: null, slowP50: 7, slowP90: 9, slowP99: 9 });
    expect(bounds([...before, ...slower])).toEqual(bounds(before));
  });

  test("of both sides alike takes nobody back", () => {
    const slower = repeated(120, { stable: side([0, 10, 90], 10), canary: side([0, 10, 90], 2) }, 60_000);
    const { records } = judgeAll([...repeated(60, both(USUAL)), ...slower]);
    expect(records.some(({ verdict }) => verdict === "rollback")).toBe(false);
  });

  test("is not asked about where no time is told", () => {
    const { records } = judgeAll(repeated(60, { stable: failing(0, 1_000), canary: failing(0, 200) }));
    expect(records.at(-1)).toMatchObject({ verdict: "advance", safeShareBp: 10_000 });
  });
});

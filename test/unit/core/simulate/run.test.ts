import { describe, expect, test } from "vitest";
import { type RolloutInput, RolloutSchema } from "../../../../src/contract/rollout.ts";
import { readFault } from "../../../../src/core/simulate/faults.ts";
import { randomOf } from "../../../../src/core/simulate/random.ts";
import { horizonMs, type RunResult, simulateRun } from "../../../../src/core/simulate/run.ts";

const MINUTE = 60_000;

const rolloutWith = (strategy: RolloutInput["strategy"], more: Partial<RolloutInput> = {}) =>
  RolloutSchema.parse({
    ...more,
    apiVersion: "serin/v1",
    kind: "Rollout",
    name: "checkout",
    key: [{ header: "x-user-id" }],
    variants: { stable: { cluster: "v1" }, canary: { cluster: "v2" } },
    strategy,
  });

const ramp = rolloutWith({ type: "canary", ramp: { preset: "fast", holdback: { time: "2m" } } });
const inStages: RolloutInput["strategy"] = {
  type: "canary",
  stages: [
    { share: "5%", minTime: "30s" },
    { share: "50%", minTime: "30s" },
  ],
};
const stages = rolloutWith(inStages);

/** One run at so many requests a second, with a fault or without. */
function run(rollout: typeof ramp, requestsPerSecond: number, text?: string): RunResult {
  const read = text === undefined ? undefined : readFault(text);
  const fault = read !== undefined && "fault" in read ? read.fault : undefined;
  return simulateRun(rollout, { requestsPerSecond, failing: 0.001, medianMs: 80 }, fault, randomOf(11));
}

describe("a simulated rollout", () => {
  test("with a good canary goes up its ramp, and harms nobody", () => {
    const { outcome, atMs, exposed, harmed, shares } = run(ramp, 500);
    expect([outcome, exposed, harmed]).toEqual(["promoted", 0, 0]);
    expect(atMs).toBeGreaterThanOrEqual(3 * MINUTE);
    expect(shares.slice(-3).map(({ shareBp }) => shareBp)).toEqual([5_000, 9_500, 10_000]);
    expect(shares[0]).toMatchObject({ atMs: 0 });
  });

  test("with a good canary passes its stages", () => {
    const { outcome, shares } = run(stages, 500);
    expect([outcome, ...shares.map(({ shareBp }) => shareBp)]).toEqual(["promoted", 500, 5_000, 10_000]);
  });

  test.each([ramp, stages])("with a dead canary goes back, and counts whom it met", (rollout) => {
    const { outcome, exposed, harmed, shares } = run(rollout, 500, "dead");
    expect([outcome, shares.at(-1)?.shareBp]).toEqual(["rolledBack", 0]);
    expect(harmed).toBeGreaterThan(0);
    expect(harmed / exposed).toBeCloseTo(0.999, 5);
  });

  test("with a fault that stable has in part counts only the rest as harm", () => {
    const { outcome, exposed, harmed } = run(stages, 500, "errors 2%->10%");
    expect(outcome).toBe("rolledBack");
    expect(harmed / exposed).toBeGreaterThan(0.04);
    expect(harmed / exposed).toBeLessThan(0.14);
  });

  test("with a slower canary goes back, and counts those as harmed who wait longer than nearly anybody", () => {
    const { outcome, exposed, harmed } = run(ramp, 500, "latency x3");
    expect(outcome).toBe("rolledBack");
    expect(harmed / exposed).toBeCloseTo(0.524, 2);
  });

  test("with a fault that begins late harms nobody before", () => {
    const { outcome, atMs, shares } = run(ramp, 500, "dead from 70s");
    expect(outcome).toBe("rolledBack");
    expect(atMs).toBeGreaterThan(70_000);
    expect(atMs).toBeLessThan(80_000);
    expect(shares.length).toBeGreaterThan(3);
  });

  test("with a slower canary whose way back is in steps is over when everyone is home", () => {
    const inSteps = rolloutWith(inStages, { retreat: { step: "20%", every: "30s" } });
    const { outcome, shares } = run(inSteps, 500, "latency x3 from 45s");
    expect([outcome, ...shares.map(({ shareBp }) => shareBp)]).toEqual(["rolledBack", 500, 5_000, 3_000, 1_000, 0]);
  });

  test("with too little traffic to prove anything is left to a person", () => {
    expect(run(ramp, 0.05)).toMatchObject({ outcome: "held", exposed: 0 });
    const { outcome, atMs } = run(stages, 0.05);
    expect([outcome, atMs]).toEqual(["held", horizonMs(stages)]);
  });
});

describe("a simulated rollout that begins with a shadow", () => {
  const shadowed = RolloutSchema.parse({
    ...{ apiVersion: "serin/v1", kind: "Rollout", name: "checkout", key: [{ header: "x-user-id" }] },
    variants: { stable: { cluster: "v1" }, canary: { cluster: "v2" } },
    mirror: { cluster: "v2", share: "10%" },
    strategy: { type: "mirror", shadow: { minTime: "3m" }, stages: [{ share: "5%", minTime: "30s" }] },
  });

  test("goes on to its stages when the shadow has passed", () => {
    const { outcome, shares } = run(shadowed, 500);
    expect([outcome, ...shares.map(({ shareBp }) => shareBp)]).toEqual(["promoted", 0, 500, 10_000]);
    expect(shares[1]?.atMs).toBeGreaterThanOrEqual(3 * MINUTE);
  });

  test.each(["dead", "latency x3"])("harms nobody by a fault that the shadow shows: %s", (fault) => {
    const { outcome, exposed, harmed } = run(shadowed, 500, fault);
    expect([outcome, exposed, harmed]).toEqual(["rolledBack", 0, 0]);
  });

  test("is followed for as much longer", () => {
    const { mirror: _mirror, ...rest } = shadowed;
    const without = {
      ...rest,
      strategy: { type: "canary" as const, stages: "stages" in shadowed.strategy ? shadowed.strategy.stages : [] },
    };
    expect(horizonMs(shadowed) - horizonMs(without)).toBe(6 * MINUTE);
  });
});

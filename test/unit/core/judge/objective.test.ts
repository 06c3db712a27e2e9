import { describe, expect, test } from "vitest";
import type { JudgePolicy } from "../../../../src/core/judge/types.ts";
import { batchAt, failing, judgeAll, policy, repeated } from "../../../support/judge-inputs.ts";

/** Five points worse than stable are tolerated, and no more than 1 % may fail at all. */
const objective = { ...policy, maxErrorIncrease: 0.05, errorObjective: 0.01 };

const firstBack = (failed: Readonly<{ stable: number; canary: number }>, given: JudgePolicy = objective) =>
  judgeAll(repeated(120, { stable: failing(failed.stable, 1_000), canary: failing(failed.canary, 200) }), given).records.find(
    ({ verdict }) => verdict === "rollback",
  );

describe("an objective for errors", () => {
  test("takes back a canary above it while stable keeps it, however much more than stable is tolerated", () => {
    expect(firstBack({ stable: 1, canary: 6 })?.reason).toMatch(/^errors 3 % on canary, above the objective of 1 %: [\d,]+ : 1$/);
    expect(firstBack({ stable: 1, canary: 6 }, { ...policy, maxErrorIncrease: 0.05 })).toBeUndefined();
  });

  test("asks nothing where stable misses it too", () => {
    expect(firstBack({ stable: 20, canary: 6 })).toBeUndefined();
  });

  test("takes no canary back for outages of both, from their first batch on", () => {
    const outcomes = (isOut: boolean) => ({ stable: failing(isOut ? 10 : 0, 20), canary: failing(isOut ? 10 : 0, 20) });
    const rows = Array.from({ length: 600 }, (_, second) => batchAt(second * 1_000, outcomes(second > 60 && second % 60 < 3)));
    const { records } = judgeAll(rows, { ...policy, errorObjective: 0.01 });
    expect(records.filter(({ verdict }) => verdict === "rollback")).toEqual([]);
    expect(Math.max(...records.map(({ odds }) => odds))).toBeLessThan(20);
  });

  test("is kept by a canary below it", () => {
    expect(firstBack({ stable: 1, canary: 1 })).toBeUndefined();
  });

  test("leaves the words to a check that finds more", () => {
    expect(firstBack({ stable: 1, canary: 100 })?.reason).toMatch(/^errors 50 % on canary against 0\.1 % on stable/);
  });

  test("has a part of the odds, which are above one to alpha exactly when it rolls back", () => {
    const { records } = judgeAll(repeated(120, { stable: failing(1, 1_000), canary: failing(6, 200) }), objective);
    expect(records.map(({ verdict }) => verdict === "rollback")).toEqual(records.map(({ odds }) => odds >= 1 / objective.alpha));
  });

  test("that changes is judged by new bets", () => {
    const before = judgeAll(repeated(20, { stable: failing(1, 1_000), canary: failing(6, 200) }), objective).state.objective;
    const after = judgeAll(repeated(20, { stable: failing(1, 1_000), canary: failing(6, 200) }), { ...objective, errorObjective: 0.02 });
    expect([before.question, after.state.objective.question]).toEqual(["0.01", "0.02"]);
    expect(Math.max(...after.state.objective.wealth)).toBeLessThan(Math.max(...before.wealth));
  });

  test("is not bet on while nobody is on the canary", () => {
    const given = { ...policy, errorObjective: 0.01 };
    const { wealth } = judgeAll(repeated(10, { stable: failing(0, 1_000) }), given).state.objective;
    expect(wealth).toEqual([]);
  });
});

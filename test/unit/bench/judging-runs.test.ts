import { describe, expect, test } from "vitest";
import { findPolicy } from "../../bench/judging/suite/policies.ts";
import type { Policy } from "../../bench/judging/suite/policy.ts";
import { type Row, rowOf } from "../../bench/judging/suite/rows.ts";
import { playSeed, type Run } from "../../bench/judging/suite/run.ts";
import { readSuite, type Suite, scenarioOf } from "../../bench/judging/suite/scenario.ts";
import { comparisons, summaryOf } from "../../bench/judging/suite/summary.ts";
import { type Stage, stageOf } from "../../bench/judging/suite/world.ts";

const suite = await readSuite(new URL("../../bench/judging/suite/scenarios.json", import.meta.url));

function scenario(id: string): Suite["scenarios"][number] {
  const found = suite.scenarios.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no scenario ${id}`);
  return found;
}

const stage = (id: string): Stage => stageOf(suite, scenario(id));

/** A judge that does the same after each tick. */
const always =
  (step: ReturnType<Policy["step"]>, weight = 0.5) =>
  (): Policy => ({ start: () => weight, step: () => step });

describe("peers end where they did when they were written", () => {
  test.each([
    { id: "err_1_5_500", peer: "flagger", ended: ["rollback 360 366"] },
    { id: "err_1_5_500", peer: "argo", ended: ["rollback 480 1928"] },
    { id: "err_1_5_500", peer: "kayenta", ended: ["rollback 300 610"] },
    { id: "aa_users_500", peer: "naive", ended: ["rollback 135 0"] },
    { id: "aa_noisy_500", peer: "flagger", ended: ["rollback 360 0"] },
    { id: "late_1200_500", peer: "kayenta", ended: ["promote 1800 41842"] },
  ])("$peer in $id", async ({ id, peer, ended }) => {
    const runs = playSeed(stage(id), 1, [await findPolicy(peer)]);
    expect(runs.map(({ outcome, endS, harmed }) => `${outcome} ${endS} ${Math.round(harmed)}`)).toEqual(ended);
  });

  test("and a judge that does not exist is refused with what to do", async () => {
    await expect(findPolicy("test/bench/judging/suite/random.ts#nothing")).rejects.toThrow("exports no function nothing; export one");
  });
});

describe("a run", () => {
  test("counts what a promoted bad canary harms until the horizon", () => {
    const [run] = playSeed(stage("fail100_500"), 1, [always({ action: "promote" })]);
    expect(run).toMatchObject({ outcome: "promote", endS: 5, fullS: 5, isEarly: false });
    expect(run?.harmed).toBeGreaterThan(500 * 0.995 * 3_595);
    expect(run?.harmed).toBeLessThan(500 * 0.995 * 3_600);
  });

  test("that ends before the fault begins is early", () => {
    const [run] = playSeed(stage("late_1200_500"), 1, [always({ action: "rollback" })]);
    expect(run).toMatchObject({ outcome: "rollback", endS: 5, harmed: 0, isEarly: true });
  });

  test("that never decides goes on to the horizon, and says when its weight was high", () => {
    const [held, full] = playSeed(stage("aa_50"), 1, [always({ action: "hold" }), always({ action: "weight", weight: 0.95 })]);
    expect(held).toMatchObject({ outcome: "timeout", endS: 3_600, halfS: null, fullS: null });
    expect(full).toMatchObject({ outcome: "timeout", halfS: 5, fullS: 5 });
  });
});

const run = (changes: Partial<Run>): Run => ({
  outcome: "rollback",
  endS: 100,
  harmed: 10,
  halfS: null,
  fullS: null,
  isEarly: false,
  why: "",
  ...changes,
});

const row = (id: string, policy: string, runs: readonly Run[]): Row => rowOf(scenarioOf(suite, scenario(id)), policy, runs);

describe("a row of figures", () => {
  test("tells false rollbacks before the fault from true ones after it", () => {
    const runs = [
      run({ endS: 300, isEarly: true }),
      run({ endS: 1_260 }),
      run({ endS: 1_300, harmed: 30 }),
      run({ outcome: "promote", fullS: 900 }),
    ];
    expect(row("late_1200_500", "x", runs)).toMatchObject({
      rollback: 0.75,
      detected: 0.5,
      falseEarly: 0.25,
      promoted: 0.25,
      detS: 80,
      harmedMed: 10,
      harmed90: 30,
      promoteS: 900,
    });
  });

  test("has no time of what never happened", () => {
    expect(row("aa_50", "x", [run({ outcome: "timeout" })])).toMatchObject({ timeout: 1, detS: null, promoteS: null, halfS: null });
  });
});

describe("the summary", () => {
  const promoted = run({ outcome: "promote", fullS: 300, harmed: 0 });
  const rows = [
    row("aa_trickle", "x", [run({})]),
    row("aa_50", "x", [promoted, promoted, run({}), promoted]),
    row("aa_stuckuser_500", "x", [run({}), promoted]),
    row("fail100_500", "x", [run({ harmed: 16 })]),
    row("err_1_5_500", "x", [run({ harmed: 4 }), run({ harmed: 4 }), run({ outcome: "promote", harmed: 4 })]),
  ];

  test("leaves almost no traffic out, and tells broken clients apart", () => {
    expect(summaryOf(rows, "x")).toEqual({
      policy: "x",
      falseCore: 0.25,
      falseAll: 0.375,
      worst: { scenario: "aa_stuckuser_500", rollback: 0.5 },
      missed: 1 / 6,
      harmed: expect.closeTo(8, 9),
      promoteS: 300,
      promoted: 0.625,
    });
  });

  test("has no figure of nothing", () => {
    expect(summaryOf([], "x")).toMatchObject({ falseCore: null, worst: null, missed: null, harmed: null, promoteS: null, promoted: null });
  });

  test("compares with the peer that harms fewest of those that catch nearly all and blame few", () => {
    const all = [
      ...rows,
      row("aa_50", "flagger", [promoted]),
      row("aa_50", "argo", [promoted]),
      row("aa_50", "kayenta", [run({})]),
      row("fail100_500", "flagger", [run({ harmed: 8 })]),
      row("fail100_500", "argo", [run({ harmed: 2 }), promoted]),
      row("fail100_500", "kayenta", [run({ harmed: 1 })]),
    ];
    expect(comparisons(all, "x").map(({ row: { scenario: id }, best, ratio }) => [id, best?.policy, ratio])).toEqual([
      ["fail100_500", "flagger", 2],
      ["err_1_5_500", undefined, null],
    ]);
  });
});

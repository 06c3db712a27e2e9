import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../src/contract/live.ts";
import { CourseCounts, type OnCourse } from "../../../src/controller/course-counts.ts";
import { emptyTally } from "../../../src/controller/tally.ts";
import { liveOf, planState, rolloutOf } from "./builders.ts";

const served = { run: 3, firstRun: 1, sinceMs: 0 };
const inStage = (begunAtMs: number | null): PlanState => ({ phase: "stage", ...served, stage: 0, begunAtMs });
const nothing = { decided: 0, settled: 0, requests: 0, failed: 0 };

/** A rollout that stands there, with so many requests and failures on each side. */
const seatOf = (plan: PlanState, stable = [0, 0], canary = [0, 0], name = "cart"): OnCourse => {
  const of = ([requests = 0, failed = 0]: readonly number[]) => ({ ...nothing, requests, failed });
  const totals = { stable: of(stable), canary: of(canary), control: nothing };
  return { name, rollout: rolloutOf(name), live: liveOf(name, plan), judging: { tally: { ...emptyTally(1), totals } } };
};

describe("what a leader counts of a rollout's course", () => {
  test("begins at 0 and takes promotions and ways back, each once", () => {
    const counts = new CourseCounts(() => 0);
    counts.begin({ name: "cart" });
    const values = (seat: OnCourse): unknown[] =>
      counts
        .readings([seat])
        .slice(0, 2)
        .map((each) => each.values[0]?.value);
    expect(values(seatOf(inStage(0)))).toEqual([0, 0]);
    counts.moved(seatOf(planState("promoted")), planState("promoting"));
    counts.moved(seatOf(planState("promoted")), planState("promoted"));
    counts.moved(seatOf(planState("rollingBack")), planState("promoted"));
    counts.moved(seatOf(planState("rolledBack")), planState("rollingBack"));
    expect(values(seatOf(planState("rolledBack")))).toEqual([1, 1]);
  });

  test.each([
    { title: "what stable's requests would have failed besides on the canary", stable: [1_000, 10], canary: [100, 11], saved: 100 },
    { title: "nothing where the canary was no worse", stable: [1_000, 10], canary: [100, 1], saved: 0 },
    { title: "nothing where the canary had no requests", stable: [1_000, 10], canary: [0, 0], saved: 0 },
    { title: "nothing where stable had none", stable: [0, 0], canary: [100, 50], saved: 0 },
  ])("a way back saves $title", ({ stable, canary, saved }) => {
    const counts = new CourseCounts(() => 0);
    const seat = seatOf(planState("rollingBack"), stable, canary);
    counts.moved(seat, inStage(0));
    expect(counts.readings([seat])[2]?.values).toEqual([{ attributes: { rollout: "cart" }, value: saved }]);
  });

  test("takes time apart by stage, and by whether something else than time and evidence was waited for", () => {
    let nowMs = 0;
    const counts = new CourseCounts(() => nowMs);
    counts.begin({ name: "cart" });
    nowMs = 2_000;
    counts.moved(seatOf(inStage(null)), planState("pending"));
    nowMs = 5_000;
    counts.moved(seatOf(inStage(5_000)), inStage(null));
    nowMs = 65_000;
    const held = { ...inStage(5_000), held: { sinceMs: 65_000, reason: "frozen" } } as PlanState;
    counts.moved(seatOf(held), inStage(5_000));
    nowMs = 75_000;
    const time = counts
      .readings([seatOf(held)])[3]
      ?.values.map(({ attributes: { phase, stage, waiting }, value }) => [phase, stage, waiting, value]);
    expect(time).toEqual([
      ["pending", "0", "true", 2],
      ["stage", "1", "true", 13],
      ["stage", "1", "false", 60],
    ]);
  });

  test("counts no time of one at rest, and keeps nothing of one that was deleted", () => {
    let nowMs = 0;
    const counts = new CourseCounts(() => nowMs);
    counts.moved(seatOf(planState("rolledBack"), [1, 0], [1, 1]), planState("rollingBack"));
    nowMs = 9_000;
    expect(counts.readings([seatOf(planState("rolledBack"))])[3]?.values).toEqual([
      { attributes: { rollout: "cart", phase: "rollingBack", stage: "0", waiting: "true" }, value: 0 },
    ]);
    counts.forget("cart");
    expect(counts.readings([seatOf(planState("rolledBack"))])[3]?.values).toEqual([]);
  });
});

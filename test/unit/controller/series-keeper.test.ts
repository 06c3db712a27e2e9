import { expect, test } from "vitest";
import type { VerdictRecord } from "../../../src/contract/verdict.ts";
import { startJudging } from "../../../src/controller/judging.ts";
import { SeriesKeeper } from "../../../src/controller/series-keeper.ts";
import { liveOf, planState } from "./builders.ts";

const verdictAt = (atMs: number): VerdictRecord => ({
  ...{ verdict: "hold", reason: "x", proven: "x", odds: 1, alpha: 0.01, safeShareBp: 0, checks: [], unended: { stable: 0, canary: 0 } },
  ...{ atMs, sinceMs: 0, run: 3, runSample: 1, inputs: "x" },
});

const recorded = (name: string, atMs: number | null, firstRun = 1) => ({
  name,
  live: liveOf(name, { ...planState("stage"), firstRun }),
  judging: { ...startJudging(firstRun, 0), verdict: atMs === null ? null : verdictAt(atMs) },
});

const askedFor = (keeper: SeriesKeeper, name: string): number[] =>
  JSON.parse(keeper.answer(new TextEncoder().encode(name))).points.map(({ atMs }: { atMs: number }) => atMs);

test("the leader remembers the way of an attempt, and not that of the one before or of what is deleted", () => {
  const seats = new Set(["cart", "shop"]);
  const keeper = new SeriesKeeper((name) => seats.has(name));
  for (const atMs of [null, 1_000, 3_000]) keeper.record(recorded("cart", atMs));
  expect([askedFor(keeper, "cart"), askedFor(keeper, "shop")]).toEqual([[1_000, 3_000], []]);
  keeper.record(recorded("cart", 9_000, 4));
  expect(askedFor(keeper, "cart")).toEqual([9_000]);
  seats.delete("cart");
  keeper.record(recorded("shop", 1_000));
  expect([askedFor(keeper, "cart"), askedFor(keeper, "shop")]).toEqual([[], [1_000]]);
});

test("of many rollouts it remembers less of each", () => {
  const keeper = new SeriesKeeper(() => false);
  const names = Array.from({ length: 2_500 }, (_, index) => `rollout-${index}`);
  const all = new SeriesKeeper((name) => names.includes(name));
  for (const name of names) all.record(recorded(name, 1));
  for (let atMs = 2_000; atMs <= 400_000; atMs += 2_000) for (const each of [keeper, all]) each.record(recorded("rollout-7", atMs));
  expect(askedFor(keeper, "rollout-7").length).toBeGreaterThan(50);
  expect(askedFor(all, "rollout-7").length).toBeLessThanOrEqual(12);
});

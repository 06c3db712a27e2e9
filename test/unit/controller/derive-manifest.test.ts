import { describe, expect, test } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { type Governed, liveRulesOf, overlaps, staticRulesOfAll } from "../../../src/controller/derive-manifest.ts";
import { liveOf, planState, rolloutOf } from "./builders.ts";

const governed = (name: string, phase: Parameters<typeof planState>[0], change: Partial<RolloutInput> = {}): Governed => ({
  rollout: rolloutOf(name, change),
  live: liveOf(name, planState(phase)),
});

describe("the live part of the rule set", () => {
  test.each([
    { phase: "pending", off: false, shareBp: 1_000, whenUnwatched: "stable" },
    { phase: "stage", off: false, shareBp: 1_000, whenUnwatched: "stable" },
    { phase: "paused", off: false, shareBp: 1_000, whenUnwatched: "stable" },
    { phase: "promoting", off: false, shareBp: 1_000, whenUnwatched: "hold" },
    { phase: "promoted", off: false, shareBp: 1_000, whenUnwatched: "hold" },
    { phase: "rollingBack", off: true, shareBp: 0, whenUnwatched: "stable" },
    { phase: "rolledBack", off: true, shareBp: 0, whenUnwatched: "stable" },
  ] as const)("$phase: off is $off, share $shareBp, unwatched goes to $whenUnwatched", ({ phase, ...rule }) => {
    expect(liveRulesOf([governed("cart", phase)])).toEqual({ cart: { run: 3, ...rule } });
  });

  test("holds shares when nobody watches, where the rollout chose so", () => {
    expect(liveRulesOf([governed("cart", "stage", { onUnwatched: "hold" })])["cart"]?.whenUnwatched).toBe("hold");
  });

  test("leaves a handed-over rollout out, in both parts", () => {
    const all = [governed("cart", "handedOver"), governed("shop", "stage")];
    expect([Object.keys(liveRulesOf(all)), Object.keys(staticRulesOfAll(all))]).toEqual([["shop"], ["shop"]]);
  });

  test("lets a rolled-back rollout make room for one that governs the same requests", () => {
    const match = { hosts: ["shop.example"] };
    const all = [governed("cart", "rolledBack", { match }), governed("shop", "pending", { match })];
    expect(Object.keys(liveRulesOf(all))).toEqual(["shop"]);
  });

  test("is the same whatever the order", () => {
    const all = [governed("shop", "stage"), governed("cart", "stage")];
    expect(JSON.stringify(liveRulesOf(all))).toBe(JSON.stringify(liveRulesOf(all.toReversed())));
  });
});

describe("two matches are ambiguous", () => {
  const match = (change: RolloutInput["match"]) => rolloutOf("any", { match: change }).match;
  test.each([
    { title: "when host and path are the same", a: { hosts: ["a"] }, b: { hosts: ["b", "a"] }, both: true },
    { title: "not when the hosts differ", a: { hosts: ["a"] }, b: { hosts: ["b"] }, both: false },
    { title: "not when one path is longer, because the longer one wins", a: { paths: [{ prefix: "/a" }] }, b: {}, both: false },
    { title: "not when one is exact", a: { paths: [{ prefix: "/a" }] }, b: { paths: [{ exact: "/a" }] }, both: false },
    { title: "when both are exact", a: { paths: [{ exact: "/a" }] }, b: { paths: [{ exact: "/a" }] }, both: true },
  ])("$title", ({ a, b, both }) => {
    expect(overlaps(match(a), match(b))).toBe(both);
  });
});

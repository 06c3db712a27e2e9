import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../src/contract/live.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { type Governed, liveRulesOf, MAX_LIVE_BYTES, staticRulesAt } from "../../../src/controller/derive-manifest.ts";
import { overlaps, takesFrom } from "../../../src/core/decide/overlap.ts";
import { strategies, strategyStates } from "../../support/plan-inputs.ts";
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
    { phase: "handedOver", off: true, shareBp: 0, whenUnwatched: "stable" },
  ] as const)("$phase: off is $off, share $shareBp, unwatched goes to $whenUnwatched", ({ phase, ...rule }) => {
    expect(liveRulesOf([governed("cart", phase)])).toEqual({ cart: { run: 3, ...rule } });
  });

  test("holds the share of a ramp, and of its holdback", () => {
    const rollout = rolloutOf("cart", { strategy: { type: "canary", ramp: "auto" } });
    const served = { run: 3, firstRun: 1, sinceMs: 0, begunAtMs: null };
    const rule = { cart: { run: 3, off: false, shareBp: 1_000, whenUnwatched: "stable" } };
    const ramp = { phase: "ramp", ...served, shareBp: 1_000, changedAtMs: 0 } as const;
    expect(liveRulesOf([{ rollout, live: liveOf("cart", ramp) }])).toEqual(rule);
    expect(liveRulesOf([{ rollout, live: liveOf("cart", { phase: "holdback", ...served }) }])).toEqual(rule);
    const { begunAtMs: _, ...still } = served;
    const paused = { phase: "paused", ...still, stage: 0, shareBp: 1_000, reason: "lunch" } as const;
    expect(liveRulesOf([{ rollout, live: liveOf("cart", paused) }])).toEqual(rule);
  });

  test("holds the shares of a test, during it and while somebody decides", () => {
    const variants = { stable: { cluster: "s" }, a: { cluster: "a" }, b: { cluster: "b" } };
    const rollout = rolloutOf("cart", { variants, strategy: { type: "abTest", shares: { b: "20%", a: "10%" }, time: "1d" } });
    const served = { run: 3, firstRun: 1, sinceMs: 0 };
    const rule = { cart: { run: 3, shareBp: 1_000, off: false, whenUnwatched: "stable", shares: { b: 2_000 } } };
    expect(liveRulesOf([{ rollout, live: liveOf("cart", { phase: "trial", ...served, begunAtMs: null }) }])).toEqual(rule);
    expect(liveRulesOf([{ rollout, live: liveOf("cart", { phase: "decision", ...served }) }])).toEqual(rule);
  });

  test("gives everyone the variant of a test that was chosen, also while its promotion is paused", () => {
    const variants = { stable: { cluster: "s" }, a: { cluster: "a" }, b: { cluster: "b" } };
    const rollout = rolloutOf("cart", { variants, strategy: { type: "abTest", shares: { b: "20%", a: "10%" }, time: "1d" } });
    const served = { run: 3, firstRun: 1, sinceMs: 0, winner: "b" };
    const ruleIn = (plan: PlanState) => liveRulesOf([{ rollout, live: liveOf("cart", plan, { shareBp: 10_000 }) }])["cart"];
    const rule = { run: 3, shareBp: 0, off: false, whenUnwatched: "hold", shares: { b: 10_000 } };
    expect(ruleIn({ phase: "promoting", ...served })).toEqual(rule);
    expect(ruleIn({ phase: "promoted", ...served, overdue: false })).toEqual(rule);
    expect(ruleIn({ phase: "paused", ...served, stage: 1, reason: "lunch" })).toEqual({ ...rule, whenUnwatched: "stable" });
  });

  test("holds which groups of sidecars are on: the newest and those before it, also while it is paused", () => {
    const rollout = rolloutOf("cart", { strategy: { type: "rolling", by: "zone" } });
    const place = { run: 3, firstRun: 1, sinceMs: 0, groups: ["a", "b", "c"], group: 1 };
    const rule = { cart: { run: 3, shareBp: 1_000, off: false, whenUnwatched: "stable", groups: "zone=a,b" } };
    expect(liveRulesOf([{ rollout, live: liveOf("cart", { phase: "group", ...place, begunAtMs: null }) }])).toEqual(rule);
    const paused = { phase: "paused", ...place, stage: 0, from: "group", reason: "lunch" } as const;
    expect(liveRulesOf([{ rollout, live: liveOf("cart", paused) }])).toEqual(rule);
  });

  test("says that a shadow alone gets the new version until it has passed, and then that nothing is copied", () => {
    const rollout = { ...strategies.mirror, name: "cart" };
    const ruleIn = (plan: PlanState) => liveRulesOf([{ rollout, live: liveOf("cart", plan, { shareBp: 0 }) }])["cart"];
    const served = { run: 3, firstRun: 1, sinceMs: 0 };
    const rule = { run: 3, shareBp: 0, off: false, whenUnwatched: "stable" };
    for (const plan of [planState("pending"), strategyStates.shadow, strategyStates.pausedShadow])
      expect(ruleIn({ ...plan, ...served })).toEqual({ ...rule, copies: "only" });
    for (const plan of [planState("stage"), planState("paused"), { ...strategyStates.pending, atOnce: true } as const])
      expect(ruleIn({ ...plan, ...served })).toEqual({ ...rule, copies: "none" });
    expect(ruleIn(planState("rolledBack"))).toEqual({ ...rule, off: true });
  });

  test("holds what is left of a way back in steps, for which shares alone decide", () => {
    const rollout = rolloutOf("cart", { strategy: { type: "rolling", by: "zone" } });
    const back = { phase: "rollingBack", run: 3, firstRun: 1, sinceMs: 0, changedAtMs: 0, reason: "slow" } as const;
    const left = { shareBp: 1_000, begunAtMs: null };
    const rule = { run: 3, shareBp: 1_000, off: false, whenUnwatched: "stable", sharesOnly: true };
    expect(liveRulesOf([{ rollout, live: liveOf("cart", { ...back, left }) }])).toEqual({ cart: rule });
    const some = { ...back, left: { ...left, groups: ["a", "b", "c"], group: 1 } };
    expect(liveRulesOf([{ rollout, live: liveOf("cart", some) }])).toEqual({ cart: { ...rule, groups: "zone=a,b" } });
  });

  test("leaves a preview and a toggle as they are: at their share, with their targets", () => {
    const served = { run: 3, firstRun: 1, sinceMs: 0 };
    const rule = { cart: { run: 3, shareBp: 1_000, off: false, whenUnwatched: "stable" } };
    const on = { phase: "on", ...served, begunAtMs: 0, overdue: false } as const;
    expect(liveRulesOf([{ rollout: rolloutOf("cart"), live: liveOf("cart", on) }])).toEqual(rule);
    expect(liveRulesOf([{ rollout: rolloutOf("cart"), live: liveOf("cart", { phase: "preview", ...served }) }])).toEqual(rule);
  });

  test("holds the shares of all variants of a stage, and one alone when that is promoted", () => {
    const variants = { stable: { cluster: "s" }, a: { cluster: "a", lane: "50%" }, b: { cluster: "b", lane: "20%" } };
    const strategy = { type: "canary" as const, stages: [{ share: "10%", shares: { b: "5%" } }] };
    const shares = (phase: Parameters<typeof planState>[0]) =>
      liveRulesOf([governed("cart", phase, { variants, strategy })])["cart"]?.shares;
    expect([shares("stage"), shares("paused")]).toEqual([{ b: 500 }, { b: 500 }]);
    expect((["pending", "promoting", "promoted", "rollingBack", "rolledBack"] as const).map(shares)).toEqual(
      Array.from({ length: 5 }, () => undefined),
    );
  });

  test("holds rollouts that only set tags beside any other of the same requests", () => {
    const match = { hosts: ["shop.example"] };
    const toggle = { match, variants: { stable: { tags: {} }, on: { tags: { "x-serin-on": "1" } } } };
    const all = [
      governed("banner", "stage", toggle),
      governed("cart", "stage", { match }),
      governed("old", "handedOver", toggle),
      governed("past", "rolledBack", toggle),
    ];
    expect(Object.keys(liveRulesOf(all))).toEqual(["banner", "cart", "old", "past"]);
  });

  test("holds shares when nobody watches, where the rollout chose so", () => {
    expect(liveRulesOf([governed("cart", "stage", { onUnwatched: "hold" })])["cart"]?.whenUnwatched).toBe("hold");
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

describe("a handed-over rollout rests", () => {
  const names = (...all: Governed[]): string[] => Object.keys(liveRulesOf(all));
  const at = (host: string, prefix = "/"): Partial<RolloutInput> => ({ match: { hosts: [host], paths: [{ prefix }] } });
  const ended = (name: string, sinceMs: number, change: Partial<RolloutInput> = {}): Governed => ({
    rollout: rolloutOf(name, change),
    live: liveOf(name, { phase: "handedOver", run: 3, firstRun: 1, sinceMs }),
  });

  test.each([
    { title: "beside one of another host", other: at("shop.example"), phase: "stage", held: ["cart", "shop"] },
    { title: "but not where another governs the same", other: at("a.example"), phase: "pending", held: ["shop"] },
    { title: "nor where that one was rolled back", other: at("a.example"), phase: "rolledBack", held: ["shop"] },
    { title: "nor where it would take requests from one of every host", other: at("*"), phase: "stage", held: ["shop"] },
    {
      title: "nor where it would take them from a shorter path",
      own: at("a.example", "/x/y"),
      other: at("a.example", "/x"),
      phase: "stage",
      held: ["shop"],
    },
    { title: "beside one of a longer path, which goes first", other: at("a.example", "/x"), phase: "stage", held: ["cart", "shop"] },
    {
      title: "beside one of a path that it never meets",
      own: at("a.example", "/x"),
      other: at("a.example", "/xy"),
      phase: "stage",
      held: ["cart", "shop"],
    },
    { title: "for every host, beside one of its own host", own: at("*"), other: at("a.example"), phase: "stage", held: ["cart", "shop"] },
  ] as const)("$title", ({ own = at("a.example"), other, phase, held }) => {
    expect(names(governed("cart", "handedOver", own), governed("shop", phase, other))).toEqual(held);
  });

  test("and of two that govern the same the one that ended last does", () => {
    const match = at("a.example");
    expect(names(ended("cart", 1, match), ended("shop", 2, match))).toEqual(["shop"]);
    expect(names(ended("cart", 2, match), ended("shop", 2, match))).toEqual(["cart"]);
  });

  test("without its targets", () => {
    const targets: RolloutInput["targets"] = [{ name: "staff", when: { header: { name: "x-staff", present: true } }, variant: "canary" }];
    const [before, after] = [governed("cart", "promoted", { targets }), governed("cart", "handedOver", { targets })];
    expect([staticRulesAt(before).targets.length, staticRulesAt(after).targets]).toEqual([1, []]);
  });

  test("with at most 255 others, the last ended", () => {
    const all = Array.from({ length: 300 }, (_, index) => ended(`cart-${index}`, index));
    const held = names(...all);
    expect([held.length, held.includes("cart-299"), held.includes("cart-44"), held.includes("cart-43")]).toEqual([256, true, true, false]);
  });

  test("until the live part is three quarters full, and never keeps another out", () => {
    const count = Math.ceil((MAX_LIVE_BYTES * 3) / 4 / 94);
    const busy = Array.from({ length: count }, (_, index) => governed(`shop-${String(index).padStart(5, "0")}`, "stage"));
    expect(names(...busy, ended("cart", 1))).toEqual(names(...busy));
    expect(names(...busy.slice(10), ended("cart", 1)).includes("cart")).toBe(true);
  });
});

type Taking = Readonly<{ title: string; a: RolloutInput["match"]; b: RolloutInput["match"]; takes: boolean }>;

test.each<Taking>([
  {
    title: "an exact path takes from a prefix that covers it",
    a: { paths: [{ exact: "/a/b" }] },
    b: { paths: [{ prefix: "/a" }] },
    takes: true,
  },
  { title: "a prefix does not take from an exact path", a: { paths: [{ prefix: "/a" }] }, b: { paths: [{ exact: "/a/b" }] }, takes: false },
  { title: "two exact paths that differ never meet", a: { paths: [{ exact: "/a" }] }, b: { paths: [{ exact: "/b" }] }, takes: false },
  {
    title: "a host of both is decided by the path",
    a: { hosts: ["a", "*"] },
    b: { hosts: ["a", "*"], paths: [{ prefix: "/x" }] },
    takes: false,
  },
  { title: "its own host goes before every host, whatever the path", a: { hosts: ["a"] }, b: { paths: [{ exact: "/x" }] }, takes: true },
])("of two rollouts that match a request, $title", ({ a, b, takes }) => {
  const match = (change: RolloutInput["match"]) => rolloutOf("any", { match: change }).match;
  expect(takesFrom(match(a), match(b))).toBe(takes);
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

import { describe, expect, test } from "vitest";
import type { HashedFeedback, ServedRules } from "../../../../src/contract/feedback.ts";
import type { RolloutInput } from "../../../../src/contract/rollout.ts";
import type { LiveRule } from "../../../../src/contract/rules.ts";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { attribute, hashedFeedback, withServed } from "../../../../src/core/decide/feedback.ts";
import { hashUsers, staticRulesOf } from "../../../../src/core/decide/rollout-rules.ts";
import { factsOf } from "../../../support/decide-inputs.ts";
import { documentOf, rolloutOf } from "../../controller/builders.ts";

const DAY_MS = 86_400_000;
const live = (run: number, shareBp: number, change: Partial<LiveRule> = {}): LiveRule => ({
  run,
  shareBp,
  off: false,
  whenUnwatched: "stable",
  ...change,
});
const said = (change: Partial<HashedFeedback> & { key?: string } = {}, salt?: string): HashedFeedback => {
  const { key = "alice", ...more } = change;
  return { ...hashedFeedback({ rollout: "cart", kind: "complaint", key }, { name: "cart", salt, group: undefined }), ...more };
};
const cart = (change: Partial<RolloutInput> = {}) => rolloutOf("cart", hashUsers(documentOf("cart", change)));
const served = (...rules: readonly (readonly [sinceMs: number, rule: LiveRule])[]): readonly ServedRules[] =>
  rules.reduce<readonly ServedRules[]>((before, [sinceMs, rule]) => withServed(before, cart(), rule, sinceMs), []);

describe("feedback goes to the variant that the share gave to the user", () => {
  const keys = Array.from({ length: 400 }, (_, index) => `user-${index}`);
  test.each([
    { title: "of one canary", variants: { stable: { cluster: "a" }, canary: { cluster: "b" } }, rule: live(1, 2_500) },
    {
      title: "of lanes beside each other",
      variants: { stable: { cluster: "a" }, canary: { cluster: "b", lane: "30%" }, blue: { cluster: "c", lane: "40%" } },
      rule: live(1, 1_000, { shares: { blue: 2_000 } }),
    },
    { title: "that is everyone's", variants: { stable: { cluster: "a" }, canary: { cluster: "b" } }, rule: live(1, 10_000) },
  ])("$title, for each user as sidecars decide", ({ variants, rule }) => {
    const rollout = cart({ variants });
    const rules = compile({ epoch: 0, revision: 0, rollouts: { cart: { rules: staticRulesOf(rollout), live: rule } } });
    const history = withServed([], rollout, rule, 0);
    const decided = keys.map((key) => decide(rules, factsOf({ host: "cart.example", headers: [["x-user-id", key]] })).variant);
    const attributed = keys.map((key) => attribute(history, rollout, said({ key }), 5));
    expect(attributed).toEqual(decided.map((variant) => ({ variant, run: 1 })));
    expect(new Set(decided).has("canary")).toBe(true);
  });

  test("at the time when it happened, not when it is told", () => {
    const history = served([100, live(1, 0)], [200, live(2, 10_000)], [300, live(3, 0)]);
    const at = (atMs: number) => attribute(history, cart(), said(), atMs);
    expect([at(199), at(200), at(299), at(300)]).toEqual([
      { variant: "stable", run: 1 },
      { variant: "canary", run: 2 },
      { variant: "canary", run: 2 },
      { variant: "stable", run: 3 },
    ]);
  });

  test("or to the one that the application names", () => {
    const history = served([0, live(4, 100)]);
    const { user: _, ...named } = said({ variant: "canary", id: "1" });
    expect(attribute(history, cart(), named, 5)).toEqual({ variant: "canary", run: 4 });
    expect(attribute(history, cart(), { ...named, reason: "share" }, 5)).toEqual({ variant: "canary", run: 4 });
    expect(attribute(history, cart(), { ...named, reason: "target" }, 5)).toEqual({ unattributed: "not the share decided, but: target" });
  });
});

describe("feedback is unattributed where something else may have decided", () => {
  const history = served([100, live(1, 5_000)]);
  test.each([
    { title: "before any rules", history, atMs: 99, why: "it is not known which rules held then" },
    { title: "while off", history: served([0, live(1, 0, { off: true })]), why: "the rollout was off" },
    { title: "under another salt", feedback: said({}, "another"), why: "users were hashed with another salt then" },
    {
      title: "with a key that comes second",
      feedback: said({ keySource: "cookie sid" }),
      rollout: cart({ key: [{ header: "x-user-id" }, { cookie: "sid" }] }),
      why: "a key by cookie sid decides only where no other is there",
    },
    {
      title: "with a key of another kind",
      feedback: said({ keySource: "cookie sid" }),
      why: "a key by cookie sid decides only where no other is there",
    },
    { title: "where a hop before decides", rollout: cart({ cohort: { obey: "edge" } }), why: "the cohort of a hop before decides" },
    {
      title: "where a target names the user",
      rollout: cart({ targets: [{ name: "staff", when: { any: [{ path: { prefix: "/" } }, { users: ["alice"] }] }, variant: "canary" }] }),
      why: "a target names the user",
    },
    { title: "of nobody", feedback: { rollout: "cart", kind: "complaint" }, why: "neither a user nor a variant" },
  ])("$title", ({ history: rules = history, atMs = 150, feedback = said(), rollout = cart(), why }) => {
    expect(attribute(rules, rollout, feedback, atMs)).toEqual({ unattributed: why });
  });

  test("but not by a target that names others, nor with the first key", () => {
    const rollout = cart({ targets: [{ name: "staff", when: { users: ["bob"] }, variant: "canary" }] });
    expect(attribute(history, rollout, said({ keySource: "header x-user-id" }), 150)).toMatchObject({ run: 1 });
  });
});

describe("rules that were served", () => {
  test("stand once, however often they are looked at", () => {
    const history = served([0, live(1, 100)]);
    expect(withServed(history, cart(), live(1, 100), 500)).toBe(history);
    expect(withServed(history, cart({ salt: "new" }), live(1, 100), 500)).toHaveLength(2);
  });

  test("are kept for seven days after they ended", () => {
    const history = served([0, live(1, 100)], [DAY_MS, live(2, 200)], [2 * DAY_MS, live(3, 300)]);
    const runsAt = (nowMs: number) => withServed(history, cart(), live(4, 400), nowMs).map(({ run }) => run);
    expect(runsAt(8 * DAY_MS - 1)).toEqual([1, 2, 3, 4]);
    expect(runsAt(8 * DAY_MS)).toEqual([2, 3, 4]);
    expect(runsAt(90 * DAY_MS)).toEqual([3, 4]);
  });

  test("are 256 at the most", () => {
    const many = Array.from({ length: 300 }, (_, run) => [run, live(run, run)] as const);
    const history = served(...many);
    expect([history.length, history[0]?.run, history.at(-1)?.run]).toEqual([256, 44, 299]);
  });
});

test("an event without a key travels as it is", () => {
  const event = { rollout: "cart", kind: "complaint", variant: "canary", id: "1" };
  expect(hashedFeedback(event, cart())).toEqual(event);
});

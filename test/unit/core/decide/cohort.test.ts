import { describe, expect, test } from "vitest";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide, NO_ROLLOUT } from "../../../../src/core/decide/decide.ts";
import { explain } from "../../../../src/core/decide/explain.ts";
import { sentMember } from "../../../../src/core/decide/tags.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";
import { exampleRules } from "../../../support/hop-rules.ts";

const USERS = Array.from({ length: 200 }, (_, index) => `user-${index}`);
const TRUSTED = { isTrustedPeer: true };

const inner = (headers: Readonly<Record<string, string>>, change: PlainRequest = {}) =>
  factsOf({ host: "prices.example", headers: Object.entries(headers), ...change });

describe("of the examples", () => {
  test("each user has the variant of the hop that sends at the hop that obeys", () => {
    const [edge, prices] = [exampleRules("cohort-edge.yaml"), exampleRules("cohort-inner.yaml")];
    const told = USERS.map((user) => {
      const decision = decide(edge, factsOf({ host: "shop.example", headers: [["x-user-id", user]] }));
      const after = decide(prices, inner({ "x-user-id": user, baggage: String(sentMember(decision, edge)) }, TRUSTED));
      return { first: decision.variant, second: after.variant, reason: after.reason };
    });
    expect(told.filter(({ first, second, reason }) => first !== second || reason !== "cohort")).toEqual([]);
    expect(new Set(told.map(({ first }) => first)).size).toBe(2);
  });
});

describe("a rollout that obeys the cohort of a hop before", () => {
  const baggage = "serin.shop=canary";
  test.each([
    { title: "takes it from a trusted peer", live: {}, headers: { baggage }, change: TRUSTED, expected: ["canary", "cohort"] },
    {
      title: "takes stable as well",
      live: { shareBp: 10_000 },
      headers: { baggage: "serin.shop=stable", "x-user-id": "a" },
      change: TRUSTED,
      expected: ["stable", "cohort"],
    },
    { title: "takes it from nobody else", live: {}, headers: { baggage }, change: {}, expected: ["stable", "no key"] },
    { title: "asks the target first", live: {}, headers: { baggage, "x-partner": "1" }, change: TRUSTED, expected: ["stable", "target"] },
    { title: "is off where it is off", live: { off: true }, headers: { baggage }, change: TRUSTED, expected: ["stable", "off"] },
    {
      title: "decides itself while it goes back in steps",
      live: { shareBp: 0, sharesOnly: true as const },
      headers: { baggage, "x-user-id": "a" },
      change: TRUSTED,
      expected: ["stable", "share"],
    },
    {
      title: "takes stable while it goes back in steps",
      live: { shareBp: 10_000, sharesOnly: true as const },
      headers: { baggage: "serin.shop=stable", "x-user-id": "a" },
      change: TRUSTED,
      expected: ["stable", "cohort"],
    },
    {
      title: "decides itself where it lacks the variant",
      live: { shareBp: 10_000 },
      headers: { baggage: "serin.shop=blue", "x-user-id": "a" },
      change: TRUSTED,
      expected: ["canary", "share"],
    },
    {
      title: "knows no variant by the name of a method",
      live: { shareBp: 0 },
      headers: { baggage: "serin.shop=toString", "x-user-id": "a" },
      change: TRUSTED,
      expected: ["stable", "share"],
    },
    {
      title: "decides itself without baggage",
      live: { shareBp: 10_000 },
      headers: { "x-user-id": "a" },
      change: TRUSTED,
      expected: ["canary", "share"],
    },
  ])("$title", ({ live, headers, change, expected }) => {
    const { variant, reason } = decide(exampleRules("cohort-inner.yaml", live), inner({ ...headers }, change));
    expect([variant, reason]).toEqual(expected);
  });

  test("sends cohorts home as shares where no controller watches", () => {
    const rules = exampleRules("cohort-inner.yaml", {}, { unwatched: true });
    const { variant, reason } = decide(rules, inner({ baggage, "x-user-id": "a" }, TRUSTED));
    expect([variant, reason]).toEqual(["stable", "unwatched"]);
  });

  test("keeps the user's bucket, by which failures are counted", () => {
    const decision = decide(exampleRules("cohort-inner.yaml"), inner({ baggage, "x-user-id": "a" }, TRUSTED));
    expect(decision).toMatchObject({ reason: "cohort", control: false, keySource: "header x-user-id" });
    expect(decision.bucket).toBeTypeOf("number");
  });
});

describe("what is sent on", () => {
  test("is nothing where no rollout governs, or the rollout says nothing of it", () => {
    const rules = compile(ruleSetOf({ checkout: ruleOf() }));
    expect(sentMember(NO_ROLLOUT, rules)).toBeUndefined();
    expect(sentMember(decide(rules, factsOf({})), rules)).toBeUndefined();
  });
});

describe("explain says of a cohort", () => {
  const baggage = "serin.shop=canary";
  test.each([
    { title: "that it was obeyed", headers: { baggage }, change: TRUSTED, text: "the baggage of a trusted peer says canary for shop" },
    { title: "that there is none", headers: {}, change: TRUSTED, text: "the baggage holds no cohort of shop" },
    {
      title: "that nobody trusts the peer",
      headers: { baggage },
      change: {},
      text: "the baggage holds a cohort of shop, but the peer is not trusted",
    },
    {
      title: "that there is no such variant",
      headers: { baggage: "serin.shop=blue" },
      change: TRUSTED,
      text: "the baggage says blue for shop, which is no variant here",
    },
  ])("$title", ({ headers, change, text }) => {
    const { steps } = explain(exampleRules("cohort-inner.yaml"), inner({ ...headers }, change));
    expect(steps.filter(({ step }) => step === "cohort")).toEqual([{ step: "cohort", rollout: "prices", text }]);
  });

  test("that it is not obeyed on a way back in steps, but for stable", () => {
    const rules = exampleRules("cohort-inner.yaml", { sharesOnly: true });
    const told = ["canary", "stable"].map((variant) => explain(rules, inner({ baggage: `serin.shop=${variant}` }, TRUSTED)).steps);
    expect(told.map((steps) => steps.find(({ step }) => step === "cohort")?.text)).toEqual([
      "the baggage says canary for shop, but the rollout goes back in steps: the share alone decides",
      "the baggage of a trusted peer says stable for shop",
    ]);
  });

  test("that it went home", () => {
    const { steps } = explain(exampleRules("cohort-inner.yaml", {}, { unwatched: true }), inner({ baggage }, TRUSTED));
    expect(steps.find(({ step }) => step === "cohort")?.text).toContain("no controller watches");
  });

  test("nothing where a target held, and what goes on where one is sent", () => {
    const steps = explain(exampleRules("cohort-edge.yaml"), factsOf({ host: "shop.example" })).steps;
    expect(steps.filter(({ step }) => step === "cohort")).toEqual([]);
    expect(steps.find(({ step }) => step === "baggage")?.text).toBe("later hops are told serin.shop=stable");
    const byTarget = explain(exampleRules("cohort-inner.yaml"), inner({ baggage, "x-partner": "1" }, TRUSTED)).steps;
    expect(byTarget.filter(({ step }) => step === "cohort")).toEqual([]);
  });
});

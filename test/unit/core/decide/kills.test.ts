import { expect, test } from "vitest";
import { hashKey } from "../../../../src/core/decide/bucket.ts";
import { type CompiledRules, compile } from "../../../../src/core/decide/compile.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { explain } from "../../../../src/core/decide/explain.ts";
import { type Kills, NO_KILLS } from "../../../../src/core/decide/kills.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

const targets = [{ name: "testers", variant: "canary", when: { header: { name: "x-beta", present: true } } }];
const whole = compile(ruleSetOf({ cart: ruleOf({ salt: "cart", targets }, { shareBp: 10_000 }) }));
const rulesWith = (kills: Partial<Kills>): CompiledRules => ({ ...whole, kills: { ...NO_KILLS, ...kills } });
const user = (name: string): PlainRequest => ({ headers: [["x-user-id", name]] });
const variantOf = (rules: CompiledRules, request: PlainRequest): string => decide(rules, factsOf(request)).variant;

const ANN = user("ann");
const BEN = user("ben");
const TESTER: PlainRequest = { headers: [["x-beta", "1"]] };

test.each<{ title: string; kills: Partial<Kills>; variants: string[] }>([
  { title: "without an order the rules decide", kills: {}, variants: ["canary", "canary", "canary"] },
  { title: "an order for all wins over share and targets", kills: { all: true }, variants: ["stable", "stable", "stable"] },
  { title: "so does one for the rollout", kills: { rollouts: new Set(["cart"]) }, variants: ["stable", "stable", "stable"] },
  { title: "one for another rollout changes nothing", kills: { rollouts: new Set(["shop"]) }, variants: ["canary", "canary", "canary"] },
  {
    title: "one for a user holds for that user alone",
    kills: { users: new Map([["cart", new Set([hashKey("cart", "ann")])]]) },
    variants: ["stable", "canary", "canary"],
  },
])("$title", ({ kills, variants }) => {
  expect([ANN, BEN, TESTER].map((request) => variantOf(rulesWith(kills), request))).toEqual(variants);
});

test("who is switched off is told so, with the reason `off` and the bucket by which failures are counted", () => {
  const { decision, steps } = explain(rulesWith({ all: true }), factsOf(ANN));
  expect(decision).toMatchObject({ reason: "off", bucket: expect.any(Number) });
  expect(steps.map(({ text }) => text)).toContain("switched off by an operator: stable");
});

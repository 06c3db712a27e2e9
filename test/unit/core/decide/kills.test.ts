import { expect, test } from "vitest";
import { packUsers, tableOfHashes } from "../../../../src/contract/user-lists.ts";
import { hashKey } from "../../../../src/core/decide/bucket.ts";
import { type CompiledRules, compile } from "../../../../src/core/decide/compile.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { explain } from "../../../../src/core/decide/explain.ts";
import { type Kills, NO_KILLS } from "../../../../src/core/decide/kills.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

const targets = [{ name: "testers", variant: "canary", when: { header: { name: "x-beta", present: true } } }];
const staff = {
  when: { header: { name: "x-staff", present: true } },
  packedUsers: packUsers(tableOfHashes([hashKey("segment/staff", "ann")])),
};
const whole = compile({ ...ruleSetOf({ cart: ruleOf({ salt: "cart", targets }, { shareBp: 10_000 }) }), segments: { staff } });
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
  {
    title: "one for a segment holds for its users, of all rollouts",
    kills: { segments: new Map([["staff", "all"]]) },
    variants: ["stable", "canary", "canary"],
  },
  {
    title: "one for a segment and this rollout holds for its users",
    kills: { segments: new Map([["staff", new Set(["cart"])]]) },
    variants: ["stable", "canary", "canary"],
  },
  {
    title: "one for a segment and another rollout changes nothing",
    kills: { segments: new Map([["staff", new Set(["shop"])]]) },
    variants: ["canary", "canary", "canary"],
  },
  {
    title: "one for a segment that is not known holds for everybody, who may all be in it",
    kills: { segments: new Map([["nobody-knows", "all"]]) },
    variants: ["stable", "stable", "stable"],
  },
])("$title", ({ kills, variants }) => {
  expect([ANN, BEN, TESTER].map((request) => variantOf(rulesWith(kills), request))).toEqual(variants);
});

test("who is switched off is told so, with the reason `off` and the bucket by which failures are counted", () => {
  const { decision, steps } = explain(rulesWith({ all: true }), factsOf(ANN));
  expect(decision).toMatchObject({ reason: "off", bucket: expect.any(Number) });
  expect(steps.map(({ text }) => text)).toContain("switched off by an operator: stable");
});

test.each([
  { title: "by its list", request: ANN },
  { title: "by its condition, without a key", request: { headers: [["x-staff", "1"]] } satisfies PlainRequest },
])("who is in a segment $title is switched off with it, and told so", ({ request }) => {
  const { decision, steps } = explain(rulesWith({ segments: new Map([["staff", "all"]]) }), factsOf(request));
  expect(decision).toMatchObject({ variant: "stable", reason: "off" });
  expect(steps.map(({ text }) => text)).toContain("switched off by an operator, as all in segment staff: stable");
});

test("where an order names a segment that is not known, it is said, and counted for each request", () => {
  const unknown: string[] = [];
  const rules = rulesWith({ segments: new Map([["lost", "all"]]) });
  decide(rules, { ...factsOf(BEN), unknownSegment: (name) => unknown.push(name) });
  expect(unknown).toEqual(["lost"]);
  expect(explain(rules, factsOf(BEN)).steps.map(({ text }) => text)).toContain(
    "switched off by an operator, as all in segment lost; it is not known here, so everybody may be in it: stable",
  );
});

test("without an order for a segment none is looked up", () => {
  const segments = { get: () => expect.unreachable(), has: () => expect.unreachable() };
  const rules: CompiledRules = { ...rulesWith({ rollouts: new Set(["shop"]) }), segments: Object(segments) };
  expect(variantOf(rules, ANN)).toBe("canary");
});

import { describe, expect, test } from "vitest";
import type { Condition } from "../../../../src/contract/conditions.ts";
import type { LiveRule, StaticRules } from "../../../../src/contract/rules.ts";
import { compile } from "../../../../src/core/decide/compile.ts";
import { explain } from "../../../../src/core/decide/explain.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

interface Case {
  readonly title: string;
  readonly rules?: Partial<StaticRules>;
  readonly live?: Partial<LiveRule>;
  readonly request: PlainRequest;
  readonly unwatched?: boolean;
  readonly texts: readonly string[];
}

const user: PlainRequest = { headers: [["x-user-id", "user-1"]] };
const RESULT = "by revision 1700000000.7 of run 1";

describe("an explanation of one rollout", () => {
  test.each<Case>([
    {
      title: "compares bucket and threshold",
      live: { shareBp: 10_000 },
      request: user,
      texts: [
        "governs the request with a share of 100 %, run 1",
        "the bucketing key comes from header x-user-id",
        "bucket 3153885330 is below the threshold 4294967296",
        `canary, reason "share", ${RESULT}`,
      ],
    },
    {
      title: "names the groups of sidecars that the share is of",
      live: { shareBp: 10_000, groups: "zone=a,b" },
      request: user,
      texts: [
        "governs the request with a share of 100 % (the new version is on at zone=a,b), run 1",
        "the bucketing key comes from header x-user-id",
        "bucket 3153885330 is below the threshold 4294967296",
        `canary, reason "share", ${RESULT}`,
      ],
    },
    {
      title: "says when the bucket is in the control slice",
      request: user,
      texts: [
        "governs the request with a share of 50 %, run 1",
        "the bucketing key comes from header x-user-id",
        "bucket 3153885330 is not below the threshold 2147483648, and in the control slice",
        `stable, reason "share", ${RESULT}`,
      ],
    },
    {
      title: "says when it is not",
      live: { shareBp: 25 },
      request: user,
      texts: [
        "governs the request with a share of 0.25 %, run 1",
        "the bucketing key comes from header x-user-id",
        "bucket 3153885330 is not below the threshold 10737418",
        `stable, reason "share", ${RESULT}`,
      ],
    },
    {
      title: "names the sources that gave no key",
      rules: { key: [{ header: "x-user-id" }, { cookie: "session" }] },
      request: {},
      texts: [
        "governs the request with a share of 50 %, run 1",
        "no bucketing key: tried header x-user-id, cookie session",
        `stable, reason "no key", ${RESULT}`,
      ],
    },
    {
      title: "names a cookie of ours",
      rules: { key: [{ header: "x-user-id" }, { issued: { cookie: "serin-id", maxAge: "365d" } }] },
      request: { issued: "user-1" },
      texts: [
        "governs the request with a share of 50 %, run 1",
        "the bucketing key comes from issued cookie serin-id",
        "bucket 3153885330 is not below the threshold 2147483648, and in the control slice",
        `stable, reason "share", ${RESULT}`,
      ],
    },
    {
      title: "names a cookie of ours that cannot be issued",
      rules: { key: [{ issued: { cookie: "serin-id", maxAge: "365d" } }] },
      request: {},
      texts: [
        "governs the request with a share of 50 %, run 1",
        "no bucketing key: tried issued cookie serin-id",
        `stable, reason "no key", ${RESULT}`,
      ],
    },
    {
      title: "asks no target that leads from stable while the rollout goes back in steps",
      rules: {
        targets: [
          { name: "vip", when: { header: { name: "x-vip", present: true } }, variant: "canary" },
          { name: "careful", when: { header: { name: "x-vip", present: true } }, variant: "stable" },
        ],
      },
      live: { sharesOnly: true },
      request: { headers: [["x-vip", "1"]] },
      texts: [
        "governs the request with a share of 50 %, run 1",
        "no bucketing key: tried header x-user-id",
        "the rollout goes back in steps: targets lead to stable alone",
        "target careful holds: stable",
        `stable, reason "target", ${RESULT}`,
      ],
    },
    {
      title: "names each target up to the one that holds",
      rules: {
        targets: [
          { name: "beta", when: { header: { name: "x-beta", present: true } }, variant: "canary" },
          { name: "vip", when: { users: ["user-1"] }, variant: "canary" },
          { name: "later", when: { users: ["user-1"] }, variant: "stable" },
        ],
      },
      request: user,
      texts: [
        "governs the request with a share of 50 %, run 1",
        "the bucketing key comes from header x-user-id",
        "target beta does not hold: header x-beta present true is not met",
        "target vip holds: canary",
        `canary, reason "target", ${RESULT}`,
      ],
    },
    {
      title: "stops at off",
      live: { off: true },
      request: user,
      texts: [
        "governs the request with a share of 50 %, run 1",
        "the rollout is off: everyone to stable",
        `stable, reason "off", ${RESULT}`,
      ],
    },
    {
      title: "says that nobody watches",
      live: { shareBp: 10_000 },
      request: user,
      unwatched: true,
      texts: [
        "governs the request with a share of 100 %, run 1",
        "the bucketing key comes from header x-user-id",
        "bucket 3153885330 is not below the threshold 0: no controller watches, so the share went back to stable",
        `stable, reason "unwatched", ${RESULT}`,
      ],
    },
  ])("$title", ({ rules, live, request, unwatched = false, texts }) => {
    const { steps } = explain(compile(ruleSetOf({ checkout: ruleOf(rules, live) }), { unwatched }), factsOf(request));
    expect(steps.map(({ text }) => text)).toEqual(texts);
  });
});

test("every rollout is considered, by name, with what kept it from governing", () => {
  const ruleSet = ruleSetOf({
    "z-all": ruleOf(),
    "other-host": ruleOf({ match: { hosts: ["a.example", "b.example"], paths: [{ prefix: "/" }] } }),
    "other-path": ruleOf({ match: { hosts: ["shop.example"], paths: [{ prefix: "/cart" }, { exact: "/pay" }] } }),
    chosen: ruleOf({ match: { hosts: ["shop.example"], paths: [{ prefix: "/" }] } }),
  });
  const { steps, decision } = explain(compile(ruleSet), factsOf({ host: "SHOP.example:80", path: "/list?secret=1" }));
  expect(decision.rollout).toBe("chosen");
  expect(steps.slice(0, 4)).toEqual([
    { step: "rollout", rollout: "chosen", text: "governs the request with a share of 50 %, run 1" },
    { step: "host", rollout: "other-host", text: "host shop.example is none of a.example, b.example" },
    { step: "path", rollout: "other-path", text: "path /list is not under /cart or exactly /pay" },
    { step: "rollout", rollout: "z-all", text: "matches, but chosen goes first: more specific, or first by name" },
  ]);
});

test("without a rollout only the result is left to say", () => {
  const { decision, ...rest } = explain(compile(ruleSetOf({})), factsOf(user));
  expect(decision.reason).toBe("no rollout");
  expect(rest).toEqual({
    toggles: [],
    epoch: 1_700_000_000,
    revision: 7,
    steps: [{ step: "result", text: 'stable, reason "no rollout", by revision 1700000000.7' }],
  });
});

test("the raw key stands nowhere in an explanation", () => {
  const key: StaticRules["key"] = [{ header: "x-user-id" }];
  const targets: StaticRules["targets"] = [{ name: "vip", when: { users: ["alice@shop.example"] }, variant: "canary" }];
  const request = factsOf({ headers: [["x-user-id", "alice@shop.example"]] });
  expect(JSON.stringify(explain(compile(ruleSetOf({ checkout: ruleOf({ key, targets }) })), request))).not.toContain("alice");
});

describe("a target that does not hold is told with the part of it that failed", () => {
  const header = (name: string, exact: string): Condition => ({ header: { name, exact } });
  test.each<{ title: string; when: Condition; why: string }>([
    {
      title: "a list of users by its length alone",
      when: { users: ["alice", "bob"] },
      why: "a list of 2 users is not met",
    },
    {
      title: "the first of all that fails",
      when: { all: [header("x-a", "1"), { method: ["POST", "PUT"] }, header("x-c", "3")] },
      why: "method GET is none of POST, PUT",
    },
    {
      title: "each of any, and what is inside of them",
      when: { any: [{ all: [header("x-b", "1"), { not: header("x-a", "1") }] }, { any: [header("x-c", "1"), { users: ["bob"] }] }] },
      why: 'none is met of (header x-b exact "1" and not header x-a exact "1"), (header x-c exact "1" or a list of 1 users)',
    },
    { title: "what must not be, and is", when: { not: header("x-a", "1") }, why: 'header x-a exact "1" is met, and must not be' },
    { title: "networks", when: { clientAddress: ["10.0.0.0/8", "::1/128"] }, why: "clientAddress 10.0.0.0/8, ::1/128 is not met" },
    {
      title: "a product and its version",
      when: { userAgent: { product: "Firefox", version: ">=120" } },
      why: 'userAgent product "Firefox" version ">=120" is not met',
    },
    {
      title: "one of many values, cut",
      when: { header: { name: "x-d", oneOf: Array(200).fill("value") } },
      why: 'header x-d oneOf ["value"',
    },
  ])("$title", ({ when, why }) => {
    const rules = compile(ruleSetOf({ checkout: ruleOf({ targets: [{ name: "t", when, variant: "canary" }] }) }));
    const { steps } = explain(
      rules,
      factsOf({
        headers: [
          ["x-a", "1"],
          ["x-d", "private"],
        ],
      }),
    );
    const text = String(steps.find(({ step }) => step === "target")?.text);
    expect(text.slice(0, "target t does not hold: ".length + why.length)).toBe(`target t does not hold: ${why}`);
    expect(text.length).toBeLessThanOrEqual(300);
    expect(text).not.toContain("private");
  });
});

import { describe, expect, test } from "vitest";
import type { Condition } from "../../../../src/contract/conditions.ts";
import type { LiveRule, StaticRules } from "../../../../src/contract/rules.ts";
import { BUCKETS } from "../../../../src/core/decide/bucket.ts";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide, NO_ROLLOUT } from "../../../../src/core/decide/decide.ts";
import type { Decision } from "../../../../src/core/decide/types.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

interface Case {
  readonly title: string;
  readonly rules?: Partial<StaticRules>;
  readonly live?: Partial<LiveRule>;
  readonly request: PlainRequest;
  readonly expected: Partial<Decision>;
}

const decided = ({ rules, live, request }: Case): Decision =>
  decide(compile(ruleSetOf({ checkout: ruleOf(rules, live) })), factsOf(request));

const user: PlainRequest = { headers: [["x-user-id", "user-1"]] };
const target = (when: Condition, variant: "stable" | "canary" = "canary"): Partial<StaticRules> => ({
  targets: [{ name: "testers", when, variant }],
});

describe("without a rollout for the request", () => {
  test("an empty rule set means stable", () => {
    expect(decide(compile(ruleSetOf({})), factsOf(user))).toEqual(NO_ROLLOUT);
  });

  test("another host means stable", () => {
    const match = { hosts: ["other.example"], paths: [{ prefix: "/" }] };
    expect(decide(compile(ruleSetOf({ other: ruleOf({ match }) })), factsOf(user))).toEqual(NO_ROLLOUT);
  });

  test("another path of the same host means stable, with rollouts of every host looked at too", () => {
    const own = ruleOf({ match: { hosts: ["shop.example"], paths: [{ prefix: "/cart" }] } });
    const all = ruleOf({ match: { hosts: ["*"], paths: [{ prefix: "/api" }] } });
    const rules = compile(ruleSetOf({ own, all }));
    expect(decide(rules, factsOf({ ...user, path: "/" }))).toEqual(NO_ROLLOUT);
    expect(decide(rules, factsOf({ ...user, path: "/api" })).rollout).toBe("all");
    expect(decide(rules, factsOf({ ...user, path: "/cart" })).rollout).toBe("own");
  });
});

describe("the share", () => {
  test.each<Case>([
    { title: "of 0 takes nobody", live: { shareBp: 0 }, request: user, expected: { variant: "stable", reason: "share", control: false } },
    { title: "of 100 % takes everyone", live: { shareBp: 10_000 }, request: user, expected: { variant: "canary", threshold: BUCKETS } },
    { title: "needs a key", request: {}, expected: { variant: "stable", reason: "no key", bucket: undefined, keySource: undefined } },
    { title: "names the run that decided", live: { run: 12 }, request: user, expected: { rollout: "checkout", run: 12 } },
  ])("$title", (row) => {
    expect(decided(row)).toMatchObject(row.expected);
  });
});

describe("the key source", () => {
  const key: StaticRules["key"] = [{ header: "x-user-id" }, { cookie: "session" }, { clientAddress: true }];
  test.each<Case>([
    { title: "is the first that is present", request: { ...user, clientAddress: "::1" }, expected: { keySource: "header x-user-id" } },
    {
      title: "is the next when the first is absent",
      request: { headers: [["cookie", "session=1"]] },
      expected: { keySource: "cookie session" },
    },
    {
      title: "is the next when the first is empty",
      request: {
        headers: [
          ["x-user-id", ""],
          ["cookie", "session="],
        ],
        clientAddress: "192.0.2.1",
      },
      expected: { keySource: "client address" },
    },
    { title: "is none when the address is unknown", request: {}, expected: { keySource: undefined, reason: "no key" } },
    { title: "is none when the address is empty", request: { clientAddress: "" }, expected: { keySource: undefined, reason: "no key" } },
  ])("$title", (row) => {
    expect(decided({ ...row, rules: { key } })).toMatchObject(row.expected);
  });
});

describe("a target", () => {
  const hit = { variant: "canary", reason: "target", target: "testers" } as const;
  const missed = { variant: "stable", target: undefined } as const;
  const beta = (...values: string[]): PlainRequest => ({ headers: values.map((value) => ["x-beta", value] as const) });
  const exact = target({ header: { name: "x-beta", exact: "1" } });
  const prefix = target({ header: { name: "x-beta", prefix: "te" } });
  const present = target({ header: { name: "x-beta", present: true } });
  const cookie = target({ cookie: { name: "beta", prefix: "y" } });
  test.each<Case>([
    { title: "by an exact header", rules: exact, request: beta("1"), expected: hit },
    { title: "by any value of that header", rules: exact, request: beta("0", "1"), expected: hit },
    { title: "not by a longer value", rules: exact, request: beta("11"), expected: missed },
    { title: "not without the header", rules: exact, request: {}, expected: missed },
    { title: "by a header's prefix", rules: prefix, request: beta("team"), expected: hit },
    { title: "not by a prefix inside", rules: prefix, request: beta("xte"), expected: missed },
    { title: "by presence, even when empty", rules: present, request: beta(""), expected: hit },
    { title: "not by absence", rules: present, request: {}, expected: missed },
    { title: "by a cookie", rules: cookie, request: { headers: [["cookie", "a=b; beta=yes"]] }, expected: hit },
    { title: "not by another value of the cookie", rules: cookie, request: { headers: [["cookie", "beta=no"]] }, expected: missed },
    { title: "not without the cookie", rules: cookie, request: { headers: [["cookie", "a=b"]] }, expected: missed },
    { title: "by a listed user", rules: target({ users: ["user-1"] }), request: user, expected: { ...hit, keySource: "header x-user-id" } },
    { title: "not by a user that is not listed", rules: target({ users: ["user-2"] }), request: user, expected: missed },
    { title: "not by a list without a key", rules: target({ users: ["user-1"] }), request: {}, expected: { ...missed, reason: "no key" } },
    {
      title: "keeps people on stable too",
      rules: target({ users: ["user-1"] }, "stable"),
      live: { shareBp: 10_000 },
      request: user,
      expected: { ...hit, variant: "stable" },
    },
  ])("$title", (row) => {
    expect(decided({ live: { shareBp: 0 }, ...row })).toMatchObject(row.expected);
  });

  test("that stands first wins", () => {
    const when = { header: { name: "x-beta", present: true } } as const;
    const targets: StaticRules["targets"] = [
      { name: "first", when, variant: "stable" },
      { name: "second", when, variant: "canary" },
    ];
    expect(decided({ title: "", rules: { targets }, request: beta("1"), expected: {} })).toMatchObject({
      variant: "stable",
      target: "first",
    });
  });

  test("gives way to off, which sends everyone to stable", () => {
    const row: Case = { title: "", rules: present, live: { off: true, shareBp: 10_000 }, request: beta("1"), expected: {} };
    expect(decided(row)).toMatchObject({ variant: "stable", reason: "off", target: undefined });
  });
});

describe("the bucket stands for the user whatever decides, so that outcomes are counted by user", () => {
  const listed = target({ users: ["user-1"] });
  test.each<Case>([
    { title: "a share", request: user, expected: { reason: "share", bucket: 3_153_885_330 } },
    { title: "a target", rules: listed, request: user, expected: { reason: "target", bucket: 3_153_885_330 } },
    { title: "off", live: { off: true }, request: user, expected: { reason: "off", bucket: 3_153_885_330, keySource: "header x-user-id" } },
    { title: "but not without a key", live: { off: true }, request: {}, expected: { reason: "off", bucket: undefined } },
  ])("$title", (row) => {
    expect(decided(row)).toMatchObject(row.expected);
  });
});

describe("without anyone watching", () => {
  const unwatched = (request: PlainRequest, rules: Partial<StaticRules> = {}, live: Partial<LiveRule> = {}): Decision =>
    decide(compile(ruleSetOf({ checkout: ruleOf(rules, { shareBp: 10_000, ...live }) }), { unwatched: true }), factsOf(request));

  test("keys go to stable, and the reason says so", () => {
    expect(unwatched(user)).toMatchObject({ variant: "stable", reason: "unwatched", control: false, threshold: 0 });
  });

  test("a request without a key is told so as ever", () => {
    expect(unwatched({})).toMatchObject({ variant: "stable", reason: "no key" });
  });

  test("targets still apply", () => {
    expect(unwatched(user, target({ users: ["user-1"] }))).toMatchObject({ variant: "canary", reason: "target" });
  });

  test("a rollout that chose to hold keeps its share", () => {
    expect(unwatched(user, {}, { whenUnwatched: "hold" })).toMatchObject({ variant: "canary", reason: "share" });
  });
});

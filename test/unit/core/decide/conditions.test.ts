import { describe, expect, test } from "vitest";
import type { Condition } from "../../../../src/contract/conditions.ts";
import { RolloutSchema } from "../../../../src/contract/rollout.ts";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { hashUsers, staticRulesOf } from "../../../../src/core/decide/rollout-rules.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

const rulesFor = (when: Condition) =>
  compile(ruleSetOf({ checkout: ruleOf({ targets: [{ name: "wanted", variant: "canary", when }] }, { shareBp: 0 }) }));

const meets = (when: Condition, request: PlainRequest): boolean => decide(rulesFor(when), factsOf(request)).reason === "target";

const header = (name: string, value: string): PlainRequest => ({ headers: [[name, value]] });

describe("a value", () => {
  test.each<{ title: string; match: object; yes: string[]; no: string[] }>([
    { title: "is exact letter by letter", match: { exact: "beta" }, yes: ["beta"], no: ["Beta", "beta ", ""] },
    { title: "is one of a list", match: { oneOf: ["de", "at"] }, yes: ["de", "at"], no: ["ch", ""] },
    { title: "begins with a prefix", match: { prefix: "qa-" }, yes: ["qa-1", "qa-"], no: ["1-qa-", "qa"] },
    { title: "ends with a suffix", match: { suffix: "@example.com" }, yes: ["a@example.com"], no: ["a@example.com.evil"] },
    { title: "contains a text", match: { contains: "bot" }, yes: ["a robot here"], no: ["bo t"] },
    { title: "meets a regex as a whole", match: { regex: "u-[0-9]{2,3}|x" }, yes: ["u-12", "u-123", "x"], no: ["u-1", "xx", " u-12"] },
    {
      title: "is a number between two",
      match: { number: ">=10 <20.5" },
      yes: ["10", "20.4", "+15", "15."],
      no: ["9.9", "20.5", "", "1e1", "0x10", "ten"],
    },
    { title: "is a number equal to one", match: { number: "= -3" }, yes: ["-3", "-3.0"], no: ["3"] },
    { title: "is a number above and up to", match: { number: ">1 <=2" }, yes: ["1.5", "2"], no: ["1", "2.1"] },
    {
      title: "is a version in a range",
      match: { version: ">=2.1.0 <3" },
      yes: ["2.1.0", "v2.4", "2.9.9.1", "2.5.0-beta.1"],
      no: ["2.0.9", "3.0.0", "two", "", "9".repeat(300)],
    },
    { title: "is there", match: { present: true }, yes: ["", "any"], no: [] },
  ])("$title", ({ match, yes, no }) => {
    const when = { header: { name: "x-value", ...match } } as Condition; // each is one of the forms
    expect(yes.filter((value) => !meets(when, header("x-value", value)))).toEqual([]);
    expect(no.filter((value) => meets(when, header("x-value", value)))).toEqual([]);
    expect(meets(when, {})).toBe(false);
  });

  test("that is not there can be asked for", () => {
    const when: Condition = { header: { name: "x-value", present: false } };
    expect([meets(when, {}), meets(when, header("x-value", ""))]).toEqual([true, false]);
  });

  test("of a header that comes several times suffices once", () => {
    const headers = [
      ["x-value", "a"],
      ["x-value", "b"],
    ] as const;
    expect([
      meets({ header: { name: "x-value", exact: "b" } }, { headers }),
      meets({ header: { name: "x-value", exact: "a,b" } }, { headers }),
    ]).toEqual([true, false]);
  });
});

describe("a regular expression", () => {
  const when: Condition = { header: { name: "x-value", regex: "(a+)+b?" } };

  test("meets no value above 4 KiB, which is told", () => {
    const told: number[] = [];
    const facts = (length: number) => ({ ...factsOf(header("x-value", "a".repeat(length))), overlong: () => void told.push(length) });
    const reasons = [4_096, 4_097].map((length) => decide(rulesFor(when), facts(length)).reason);
    expect([reasons, told]).toEqual([["target", "no key"], [4_097]]);
    expect(meets(when, header("x-value", "a".repeat(4_097)))).toBe(false);
  });
});

describe("where values come from", () => {
  test("a cookie", () => {
    const when: Condition = { cookie: { name: "plan", exact: "pro" } };
    expect([meets(when, header("cookie", "a=1; plan=pro")), meets(when, header("cookie", "plan=free")), meets(when, {})]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test.each([
    ["/?tab=a&tab=new+one", true],
    ["/?tab=new%20one", true],
    ["/?%74ab=new%20one#x", true],
    ["/#?tab=new%20one", true],
    ["/?tab=%zz", false],
    ["/?tab", false],
    ["/tab=new+one", false],
  ])("the query of %s", (path, expected) => {
    expect(meets({ query: { name: "tab", exact: "new one" } }, { path })).toBe(expected);
  });

  test("a parameter without a value is there, and empty; what is badly encoded stays as it is", () => {
    expect(meets({ query: { name: "debug", exact: "" } }, { path: "/?debug" })).toBe(true);
    expect(meets({ query: { name: "q", exact: "%zz" } }, { path: "/?q=%zz" })).toBe(true);
  });

  test("the path, without its query", () => {
    const when: Condition = { path: { template: "/users/{id}/orders" } };
    const paths = [
      "/users/7/orders?x=1",
      "/users/7/orders",
      "/users/7/orders/",
      "/users//orders",
      "/users/7",
      "/users/7/order",
      "/users/7/orders/8",
    ];
    expect(paths.map((path) => meets(when, { path }))).toEqual([true, true, false, false, false, false, false]);
  });

  test("the method", () => {
    expect(["GET", "HEAD", "get", "POST"].map((method) => meets({ method: ["GET", "HEAD"] }, { method }))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("a claim of a verified token, each item of a list; none where no token is read", () => {
    const when: Condition = { claim: { name: ["realm", "roles"], exact: "beta" } };
    const asked = (claims?: PlainRequest["claims"]) => meets(when, { claims });
    expect([asked({ "realm.roles": ["ops", "beta"] }), asked({ roles: ["beta"] }), asked({}), asked()]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(meets({ claim: { name: "level", number: ">=3" } }, { claims: { level: ["4"] } })).toBe(true);
  });

  test("the client's address", () => {
    const when: Condition = { clientAddress: ["10.0.0.0/8", "2001:db8::/32"] };
    const addresses = ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "11.0.0.1", "2001:db9::1", "nonsense", undefined];
    expect(addresses.map((clientAddress) => meets(when, { clientAddress }))).toEqual([true, true, true, false, false, false, false]);
  });

  test("a product of the user agent, and its version", () => {
    const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    const asked = (product: string, version?: string) =>
      meets({ userAgent: { product, ...(version !== undefined && { version }) } }, header("user-agent", firefox));
    expect([
      asked("Firefox"),
      asked("Firefox", ">=120"),
      asked("Firefox", ">=129"),
      asked("Fire"),
      asked("Linux"),
      asked("Linux", "1.x"),
    ]).toEqual([true, true, false, false, true, false]);
    expect(meets({ userAgent: { product: "Firefox" } }, {})).toBe(false);
  });
});

describe("conditions of conditions", () => {
  const get: Condition = { method: ["GET"] };
  const beta: Condition = { header: { name: "x-beta", present: true } };
  test.each([
    ["all", { all: [get, beta] }, [true, false, false, false]],
    ["any", { any: [get, beta] }, [true, true, true, false]],
    ["not", { not: { any: [get, beta] } }, [false, false, false, true]],
  ] as const)("%s", (_title, when, expected) => {
    const requests = [
      { method: "GET", headers: [["x-beta", ""]] },
      { method: "GET" },
      { method: "POST", headers: [["x-beta", ""]] },
      { method: "POST" },
    ] as const;
    expect(requests.map((request) => meets(when as unknown as Condition, request))).toEqual(expected); // read-only lists
  });

  test("lists of users stand in them as hashes, for each key that the rollout reads", () => {
    const rollout = RolloutSchema.parse({
      apiVersion: "serin/v1",
      kind: "Rollout",
      name: "checkout",
      key: [{ header: "x-user-id" }],
      variants: { stable: { cluster: "a" }, canary: { cluster: "b" } },
      targets: [{ name: "wanted", variant: "canary", when: { all: [{ method: ["GET"] }, { not: { any: [{ users: ["ann"] }] } }] } }],
      strategy: { use: "fast" },
    });
    expect(JSON.stringify(hashUsers(rollout))).not.toContain("ann");
    const rules = compile(ruleSetOf({ checkout: { rules: staticRulesOf(rollout), live: ruleOf({}, { shareBp: 0 }).live } }));
    const reasonOf = (user: string) => decide(rules, factsOf(header("x-user-id", user))).reason;
    expect([reasonOf("ann"), reasonOf("bob")]).toEqual(["share", "target"]);
  });

  test("read the headers that they name, and no other", () => {
    const when: Condition = { all: [beta, { not: { cookie: { name: "a", present: true } } }, { userAgent: { product: "x" } }, get] };
    expect([...rulesFor(when).headers].toSorted()).toEqual(["cookie", "user-agent", "x-beta", "x-user-id"]);
  });
});

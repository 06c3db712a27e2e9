import { describe, expect, test } from "vitest";
import type { RolloutInput } from "../../../../src/contract/rollout.ts";
import { MatchSchema } from "../../../../src/contract/rollout.ts";
import { compile, recompile } from "../../../../src/core/decide/compile.ts";
import { decideToggles, governing } from "../../../../src/core/decide/decide.ts";
import { explain } from "../../../../src/core/decide/explain.ts";
import { overlaps, takesFrom } from "../../../../src/core/decide/overlap.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

type MatchInput = RolloutInput["match"];
const matchOf = (input: MatchInput) => MatchSchema.parse(input ?? {});
const setOf = (matches: Record<string, MatchInput>) =>
  ruleSetOf(Object.fromEntries(Object.entries(matches).map(([name, match]) => [name, ruleOf({ match: matchOf(match) })])));
const chosen = (matches: Record<string, MatchInput>, request: PlainRequest) => governing(compile(setOf(matches)), factsOf(request))?.name;

describe("which rollout governs", () => {
  test("a host itself goes before the longest suffix, that before a shorter one, and those before every host", () => {
    const matches = {
      all: {},
      short: { hosts: ["*.example"] },
      long: { hosts: ["*.shop.example"] },
      own: { hosts: ["eu.shop.example"], paths: [{ prefix: "/cart" }] },
    };
    const of = (host: string, path = "/") => chosen(matches, { host, path });
    expect([
      of("eu.shop.example", "/cart"),
      of("eu.shop.example"),
      of("a.eu.shop.example"),
      of("shop.example"),
      of("example"),
      of("other"),
    ]).toEqual(["own", "long", "long", "short", "all", "all"]);
    expect(of("EU.SHOP.EXAMPLE:443", "/cart")).toBe("own");
  });

  test("without a rule for every host, other hosts are governed by none", () => {
    expect(["a.b", "b", "c"].map((host) => chosen({ only: { hosts: ["*.b"] } }, { host }))).toEqual(["only", undefined, undefined]);
  });

  test("an exact path goes before a template, one with more fixed segments before one with fewer, and templates before prefixes", () => {
    const matches = {
      prefix: { paths: [{ prefix: "/users/7/orders" }] },
      loose: { paths: [{ template: "/users/{id}/{what}" }] },
      tight: { paths: [{ template: "/users/{id}/orders" }] },
      exact: { paths: [{ exact: "/users/7/orders" }] },
    };
    const of = (path: string) => chosen(matches, { path });
    expect(["/users/7/orders", "/users/8/orders", "/users/8/bills", "/users/7/orders/1"].map(of)).toEqual([
      "exact",
      "tight",
      "loose",
      "prefix",
    ]);
  });

  test("methods go before headers, more headers before fewer, and all of them must be as asked", () => {
    const matches = {
      any: {},
      posts: { methods: ["POST"] },
      beta: { headers: [{ name: "X-Beta", present: true as const }] },
      betaDe: {
        headers: [
          { name: "x-beta", present: true as const },
          { name: "x-land", oneOf: ["de", "at"] },
        ],
      },
    };
    const of = (method: string, headers: [string, string][] = []) => chosen(matches, { method, headers });
    expect([
      of("GET"),
      of("POST", [["x-beta", ""]]),
      of("GET", [["x-beta", ""]]),
      of("GET", [
        ["x-beta", ""],
        ["x-land", "at"],
      ]),
      of("GET", [["x-land", "at"]]),
    ]).toEqual(["any", "posts", "beta", "betaDe", "any"]);
  });

  test("hosts below one come and go with their rollouts", () => {
    const before = compile(setOf({ a: { hosts: ["*.b"] } }));
    const gone = recompile(before, { epoch: 1, revision: 8, changed: new Map(), removed: ["a"] });
    expect([before.routing.suffixHosts, gone.routing.suffixHosts]).toEqual([1, 0]);
    expect(governing(gone, factsOf({ host: "a.b" }))).toBeUndefined();
  });

  test("of many toggles on a host each that holds for the path counts, also where that is none", () => {
    const variants = { stable: { tags: {} }, on: { tags: { "x-serin-on": "1" } } };
    const prefixes = ["/", "/a", "/a/b", "/c", "/d", "/e", "/f", "/g", "/h", "/i"];
    const rollouts = prefixes.map(
      (prefix, index) => [`t${index}`, ruleOf({ variants, match: { hosts: ["shop.example"], paths: [{ prefix }] } })] as const,
    );
    const rules = compile(ruleSetOf(Object.fromEntries(rollouts)));
    const names = (path: string) => decideToggles(rules, factsOf({ path })).map(({ rollout }) => rollout);
    expect([names("/a/b/c"), names("/ab"), names("*")]).toEqual([["t0", "t1", "t2"], ["t0"], ["t0"]]);
    expect(names("/a?b")).toEqual(["t0", "t1"]);
  });

  // FNV-1a gives both of these texts one hash.
  test.each([["/phb/q"], ["/2gpc"]])("of many paths two with one hash are told apart: %s", (prefix) => {
    const paths = ["/phb/q", "/2gpc", "/phb", "/1", "/2", "/3", "/4", "/5", "/6"].map((each) => ({ prefix: each }));
    const matches = Object.fromEntries(paths.map((path, index) => [`r${index}`, { hosts: ["shop.example"], paths: [path] }]));
    const index = paths.findIndex((path) => path.prefix === prefix);
    expect(chosen(matches, { path: prefix })).toBe(`r${index}`);
    expect(chosen(matches, { path: `${prefix}/x?y` })).toBe(`r${index}`);
    expect(chosen(matches, { path: "/phb/qq" })).toBe("r2");
  });

  test.each(["/cart", "/cart?a=1", "/cart?next=/shop/all/of/it", "/cart#top", "/cart/7?a=1"])(
    "of many rollouts on a host a shorter prefix governs %s, its query left aside",
    (path) => {
      const prefixes = ["/cart", "/catalogue/of/all", "/a", "/b", "/c", "/d", "/e", "/f", "/g"];
      const matches = Object.fromEntries(prefixes.map((prefix) => [prefix.replaceAll("/", "p"), { paths: [{ prefix }] }]));
      expect(chosen(matches, { path })).toBe("pcart");
    },
  );

  test("explain says of each rollout what did not fit", () => {
    const matches = {
      posts: { methods: ["POST"] },
      beta: { headers: [{ name: "x-beta", exact: "1" }] },
      below: { hosts: ["*.b"] },
      form: { paths: [{ template: "/u/{id}" }] },
    };
    const { steps } = explain(compile(setOf(matches)), factsOf({ host: "b", headers: [["x-beta", "secret"]] }));
    expect(steps.map(({ step, text }) => `${step}: ${text}`)).toEqual([
      "host: host b is none of *.b",
      'match: header x-beta exact "1" is not met',
      "path: path / is not of the form /u/{id}",
      "match: method GET is none of POST",
      'result: stable, reason "no rollout", by revision 1700000000.7',
    ]);
  });
});

describe("two rollouts", () => {
  const GET = { methods: ["GET"] };
  const header = (name: string, exact: string) => ({ headers: [{ name, exact }] });
  test.each<{ title: string; a: MatchInput; b: MatchInput; both: boolean }>([
    {
      title: "templates of the same size that fit one path",
      a: { paths: [{ template: "/a/{x}" }] },
      b: { paths: [{ template: "/{y}/b" }] },
      both: true,
    },
    {
      title: "templates that fit no path in common",
      a: { paths: [{ template: "/a/{x}" }] },
      b: { paths: [{ template: "/b/{x}" }] },
      both: false,
    },
    {
      title: "templates of different sizes",
      a: { paths: [{ template: "/a/{x}" }] },
      b: { paths: [{ template: "/{x}/{y}" }] },
      both: false,
    },
    { title: "the same hosts below one", a: { hosts: ["*.b"] }, b: { hosts: ["*.b"] }, both: true },
    { title: "hosts below different ones", a: { hosts: ["*.a.b"] }, b: { hosts: ["*.b"] }, both: false },
    { title: "methods in common", a: { methods: ["GET", "POST"] }, b: GET, both: true },
    { title: "no method in common", a: { methods: ["POST"] }, b: GET, both: false },
    { title: "methods on one side alone", a: {}, b: GET, both: false },
    { title: "headers that may both hold", a: header("x-a", "1"), b: header("x-b", "1"), both: true },
    { title: "a header that cannot be both", a: header("x-a", "1"), b: { headers: [{ name: "x-a", oneOf: ["2", "3"] }] }, both: false },
    { title: "a header that may be both", a: header("x-a", "1"), b: { headers: [{ name: "x-a", oneOf: ["1", "3"] }] }, both: true },
    {
      title: "a header that is there or not",
      a: { headers: [{ name: "x-a", present: true }] },
      b: { headers: [{ name: "x-a", present: false }] },
      both: false,
    },
    {
      title: "a header with tests that nobody can compare",
      a: { headers: [{ name: "x-a", regex: "a.*" }] },
      b: { headers: [{ name: "x-a", prefix: "b" }] },
      both: true,
    },
  ])("with $title are ambiguous: $both", ({ a, b, both }) => {
    expect([overlaps(matchOf(a), matchOf(b)), overlaps(matchOf(b), matchOf(a))]).toEqual([both, both]);
  });

  test.each<{ title: string; a: MatchInput; b: MatchInput; takes: boolean }>([
    { title: "a host below one takes from every host", a: { hosts: ["*.b"] }, b: {}, takes: true },
    { title: "a host takes from those below one", a: { hosts: ["a.b"] }, b: { hosts: ["*.b"] }, takes: true },
    { title: "a host takes nothing from those below another", a: { hosts: ["a.c"] }, b: { hosts: ["*.b"] }, takes: false },
    { title: "a longer suffix takes from a shorter", a: { hosts: ["*.a.b"] }, b: { hosts: ["*.b"] }, takes: true },
    { title: "a shorter suffix takes nothing from a longer", a: { hosts: ["*.b"] }, b: { hosts: ["*.a.b"] }, takes: false },
    {
      title: "a template takes from a prefix above it",
      a: { paths: [{ template: "/a/{x}" }] },
      b: { paths: [{ prefix: "/a/" }] },
      takes: true,
    },
    {
      title: "a template takes nothing from a prefix elsewhere",
      a: { paths: [{ template: "/a/{x}" }] },
      b: { paths: [{ prefix: "/b" }] },
      takes: false,
    },
    {
      title: "a template takes nothing from an exact path",
      a: { paths: [{ template: "/a/{x}" }] },
      b: { paths: [{ exact: "/a/b" }] },
      takes: false,
    },
    {
      title: "an exact path takes from a template",
      a: { paths: [{ exact: "/a/b" }] },
      b: { paths: [{ template: "/a/{x}" }] },
      takes: true,
    },
    {
      title: "a prefix of a narrower host takes from a template below it",
      a: { hosts: ["a"], paths: [{ prefix: "/a" }] },
      b: { paths: [{ template: "/a/{x}" }] },
      takes: true,
    },
    {
      title: "a prefix of a narrower host takes from an exact path",
      a: { hosts: ["a"], paths: [{ prefix: "/a" }] },
      b: { paths: [{ exact: "/a/b" }] },
      takes: true,
    },
    {
      title: "a prefix of a narrower host takes from one below it",
      a: { hosts: ["a"], paths: [{ prefix: "/a" }] },
      b: { paths: [{ prefix: "/a/b" }] },
      takes: true,
    },
    {
      title: "a prefix of a narrower host takes from one above it",
      a: { hosts: ["a"], paths: [{ prefix: "/a/b" }] },
      b: { paths: [{ prefix: "/a" }] },
      takes: true,
    },
    {
      title: "a prefix takes nothing from a template below it",
      a: { paths: [{ prefix: "/a" }] },
      b: { paths: [{ template: "/a/{x}" }] },
      takes: false,
    },
    { title: "a method takes from all methods", a: { methods: ["GET"] }, b: {}, takes: true },
    { title: "all methods take nothing from one", a: {}, b: { methods: ["GET"] }, takes: false },
    { title: "one method takes nothing from another", a: { methods: ["GET"] }, b: { methods: ["POST"] }, takes: false },
  ])("$title", ({ a, b, takes }) => {
    expect(takesFrom(matchOf(a), matchOf(b))).toBe(takes);
  });
});

import { describe, expect, test } from "vitest";
import { hashKey } from "../../../../src/core/decide/bucket.ts";
import { compile, recompile, withUnwatched } from "../../../../src/core/decide/compile.ts";
import { decide, governing } from "../../../../src/core/decide/decide.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

describe("the headers that rules read", () => {
  test("are none without rollouts", () => {
    expect([...compile(ruleSetOf({})).headers]).toEqual([]);
  });

  test("are those of keys and targets, with cookie for any cookie, each once", () => {
    const rules = compile(
      ruleSetOf({
        a: ruleOf({ key: [{ header: "x-user-id" }, { cookie: "session" }, { clientAddress: true }] }),
        b: ruleOf({
          targets: [
            { name: "a", when: { header: { name: "x-beta", present: true } }, variant: "canary" },
            { name: "b", when: { cookie: { name: "beta", present: true } }, variant: "canary" },
            { name: "c", when: { users: ["user-1"] }, variant: "canary" },
            { name: "d", when: { userHashes: ["0123456789abcdef"] }, variant: "canary" },
          ],
        }),
      }),
    );
    expect([...rules.headers].sort()).toEqual(["cookie", "x-beta", "x-user-id"]);
  });

  test("leave out the cookie where none is asked for", () => {
    expect([...compile(ruleSetOf({ a: ruleOf() })).headers]).toEqual(["x-user-id"]);
  });
});

describe("the index by host", () => {
  test("holds only a host's own rollouts, so that others cost nothing", () => {
    const rollouts = Array.from({ length: 100 }, (_, index) => {
      const match = { hosts: [`host-${index}.example`], paths: [{ prefix: "/" }] };
      return [`rollout-${index}`, ruleOf({ match })] as const;
    });
    const rules = compile(ruleSetOf(Object.fromEntries(rollouts)));
    expect([...rules.routing.byHost.values()].map(({ all }) => all.length)).toEqual(Array.from({ length: 100 }, () => 1));
    expect(rules.routing.anyHost.all).toEqual([]);
  });

  test("takes a host that is written twice once", () => {
    const match = { hosts: ["shop.example", "shop.example"], paths: [{ prefix: "/" }] };
    expect(compile(ruleSetOf({ a: ruleOf({ match }) })).routing.byHost.get("shop.example")?.all).toHaveLength(1);
  });

  test("does not depend on the order in which rollouts were written", () => {
    const paths = [{ a: { prefix: "/a" } }, { b: { prefix: "/a" } }, { c: { prefix: "/a/b" } }, { d: { exact: "/a/b" } }];
    const entries = paths.flatMap((entry) =>
      Object.entries(entry).map(([name, path]) => [name, ruleOf({ match: { hosts: ["*"], paths: [path] } })] as const),
    );
    const chosen = (list: typeof entries): (string | undefined)[] => {
      const rules = compile(ruleSetOf(Object.fromEntries(list)));
      return ["/a", "/a/b", "/a/b/c", "/x"].map((path) => governing(rules, factsOf({ path }))?.name);
    };
    expect(chosen(entries)).toEqual(["a", "d", "c", undefined]);
    expect(chosen(entries.toReversed())).toEqual(["a", "d", "c", undefined]);
  });
});

describe("what does not change from request to request is worked out once", () => {
  test("the revision, run, threshold and variants stand ready", () => {
    const rules = compile(ruleSetOf({ checkout: ruleOf({}, { run: 4, shareBp: 2_500 }) }));
    expect(rules).toMatchObject({ epoch: 1_700_000_000, revision: 7 });
    expect(rules.rollouts.get("checkout")).toMatchObject({
      name: "checkout",
      run: 4,
      threshold: 2 ** 30,
      listsUsers: false,
      variants: { canary: { cluster: "canary" } },
    });
  });

  test("users as written and users as hashes are the same users", () => {
    const target = (when: { users: string[] } | { userHashes: string[] }) =>
      compile(ruleSetOf({ a: ruleOf({ targets: [{ name: "vip", when, variant: "canary" }] }, { shareBp: 0 }) }));
    const request = factsOf({ headers: [["x-user-id", "user-1"]] });
    const written = decide(target({ users: ["user-1"] }), request);
    expect(written).toMatchObject({ variant: "canary", reason: "target", target: "vip" });
    expect(decide(target({ userHashes: [hashKey("checkout", "user-1")] }), request)).toEqual(written);
    expect(decide(target({ users: ["user-2"] }), request)).toMatchObject({ variant: "stable", reason: "share" });
  });
});

describe("a change of rules", () => {
  const before = compile(ruleSetOf({ a: ruleOf(), b: ruleOf() }));
  const statics = before.rollouts.get("a")?.statics ?? expect.fail();
  const change = { epoch: 1_700_000_000, revision: 8 };

  test("carries its own revision, and leaves the rules before it as they were", () => {
    const after = recompile(before, {
      ...change,
      changed: new Map([["a", { statics, live: ruleOf({}, { shareBp: 0 }).live }]]),
      removed: ["b"],
    });
    expect([after.revision, after.rollouts.get("a")?.threshold, after.rollouts.has("b"), after.routing.anyHost.all.length]).toEqual([
      8,
      0,
      false,
      1,
    ]);
    expect([before.revision, before.rollouts.get("a")?.threshold, before.rollouts.size, before.routing.anyHost.all.length]).toEqual([
      7,
      2 ** 31,
      2,
      2,
    ]);
  });

  test("that removes what is not there, or what it changes as well, removes nothing", () => {
    const changed = new Map([["a", { statics, live: ruleOf({}, { run: 9 }).live }]]);
    const after = recompile(before, { ...change, changed, removed: ["a", "c"] });
    expect([...after.rollouts.keys()].toSorted()).toEqual(["a", "b"]);
    expect(after.rollouts.get("a")?.run).toBe(9);
  });

  test("back and forth of what nobody watches leaves all rollouts as they are, so that ten thousand cost as much as one", () => {
    const { rollouts, routing, toggles } = withUnwatched(before, true);
    expect([rollouts === before.rollouts, routing === before.routing, toggles === before.toggles]).toEqual([true, true, true]);
  });
});

test("variants that leave nothing beside stable have no lane, and so no share", () => {
  const alone = ruleOf({ variants: { stable: { cluster: "s", tags: {} } } }, { shareBp: 10_000 });
  expect(compile(ruleSetOf({ alone })).rollouts.get("alone")).toMatchObject({ lanes: [], threshold: 0 });
});

test("a variant may be named like what every object has", () => {
  const routed = (cluster: string) => ({ cluster, tags: {} });
  const variants = { stable: routed("s"), canary: routed("c"), constructor: routed("d") };
  const lanes = compile(ruleSetOf({ odd: ruleOf({ variants }, { shareBp: 100, shares: {} }) })).rollouts.get("odd")?.lanes;
  expect(lanes?.map(({ variant, threshold }) => [variant, Number.isNaN(threshold)])).toEqual([
    ["canary", false],
    ["constructor", false],
  ]);
});

import { describe, expect, test } from "vitest";
import { type RolloutInput, RolloutSchema } from "../../../../src/contract/rollout.ts";
import { StaticRulesSchema } from "../../../../src/contract/rules.ts";
import { hashKey } from "../../../../src/core/decide/bucket.ts";
import { hashUsers, saltOf, staticRulesOf } from "../../../../src/core/decide/rollout-rules.ts";

const written = (more: Partial<RolloutInput> = {}): RolloutInput => ({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name: "checkout",
  key: [{ header: "X-User-Id" }],
  variants: { stable: { cluster: "v1" }, canary: { cluster: "v2" } },
  strategy: { use: "fast" },
  targets: [
    { name: "vip", when: { users: ["alice", "bob"] }, variant: "canary" },
    { name: "beta", when: { header: { name: "x-beta", present: true } }, variant: "canary" },
  ],
  ...more,
});

test("the salt is the rollout's own, or its group, or else its name", () => {
  expect(saltOf({ name: "checkout" })).toBe("checkout");
  expect(saltOf({ name: "checkout", salt: "spring" })).toBe("spring");
  expect(saltOf({ name: "checkout", group: "spring" })).toBe("spring");
});

describe("static rules", () => {
  test("hold what a sidecar needs, fit their schema and name no user", () => {
    const rules = staticRulesOf(RolloutSchema.parse(written({ salt: "spring" })));
    expect(StaticRulesSchema.parse(rules)).toEqual(rules);
    expect(rules).toMatchObject({ salt: "spring", key: [{ header: "x-user-id" }], match: { hosts: ["*"], paths: [{ prefix: "/" }] } });
    expect(rules.targets).toEqual([
      { name: "vip", when: { userHashes: [hashKey("spring", "alice"), hashKey("spring", "bob")] }, variant: "canary" },
      { name: "beta", when: { header: { name: "x-beta", present: true } }, variant: "canary" },
    ]);
  });
});

test("long lists of users are packed, and choose the same users", () => {
  const users = Array.from({ length: 1_001 }, (_, index) => `user-${index}`);
  const when = (listed: string[]): unknown => {
    const targets = [{ name: "vip", when: { users: listed }, variant: "canary" as const }];
    return staticRulesOf(RolloutSchema.parse(written({ targets }))).targets[0]?.when;
  };
  const hashes = users.map((user) => hashKey("checkout", user));
  expect(when(users)).toEqual({ packedUsers: Buffer.from(hashes.toSorted().join(""), "hex").toString("base64") });
  expect(when(users.slice(1))).toEqual({ userHashes: hashes.slice(1) });
});

describe("what a rollout says of hops and shadows", () => {
  test.each([
    { title: "its own name where it obeys itself", cohort: { obey: true }, expected: { send: false, obey: "checkout" } },
    { title: "another's name where it obeys that", cohort: { send: true, obey: "shop" }, expected: { send: true, obey: "shop" } },
    { title: "no name where it only sends", cohort: { send: true }, expected: { send: true } },
  ] as const)("stands in its static rules: $title", ({ cohort, expected }) => {
    const rules = staticRulesOf(RolloutSchema.parse(written({ cohort })));
    expect(StaticRulesSchema.parse(rules).cohort).toEqual(expected);
  });

  test("has shares in basis points, and safe methods where none are named", () => {
    const rules = staticRulesOf(RolloutSchema.parse(written({ mirror: { cluster: "shadow", share: "2.5%" } })));
    expect(StaticRulesSchema.parse(rules).mirror).toEqual({ cluster: "shadow", shareBp: 250, methods: ["GET", "HEAD", "OPTIONS"] });
  });

  test("is absent where it says nothing", () => {
    expect(Object.keys(staticRulesOf(RolloutSchema.parse(written())))).toEqual(["match", "key", "salt", "variants", "targets"]);
  });
});

describe("hashing the users of a document", () => {
  test("replaces them by hashes under the rollout's salt and leaves the rest as written", () => {
    const { targets, ...rest } = written();
    const hashed = hashUsers(written());
    expect(hashed).toEqual({
      ...rest,
      targets: [
        { name: "vip", when: { userHashes: [hashKey("checkout", "alice"), hashKey("checkout", "bob")] }, variant: "canary" },
        targets?.[1],
      ],
    });
    expect(JSON.stringify(hashed)).not.toContain("alice");
  });

  test("done twice is the same as once", () => {
    expect(hashUsers(hashUsers(written()))).toEqual(hashUsers(written()));
  });

  test("leaves a document without targets alone", () => {
    const { targets: _, ...rest } = written();
    expect(hashUsers(rest)).toEqual(rest);
  });

  test("gives the same static rules as the document with its users", () => {
    const parsed = RolloutSchema.parse(written());
    expect(staticRulesOf(RolloutSchema.parse(hashUsers(written())))).toEqual(staticRulesOf(parsed));
    expect(staticRulesOf(hashUsers(parsed))).toEqual(staticRulesOf(parsed));
  });
});

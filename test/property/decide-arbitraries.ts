import { fc } from "@fast-check/vitest";
import type { Condition, PathMatch } from "../../src/contract/conditions.ts";
import { lanesOf } from "../../src/contract/lanes.ts";
import type { KeySource, Target } from "../../src/contract/rollout.ts";
import type { LiveRule, RuleSet, StaticRules } from "../../src/contract/rules.ts";
import { type SegmentRules, segmentSalt } from "../../src/contract/segments.ts";
import { packUsers, tableOfHashes } from "../../src/contract/user-lists.ts";
import { hashKey } from "../../src/core/decide/bucket.ts";
import type { Kills } from "../../src/core/decide/kills.ts";
import type { PlainRequest } from "../support/decide-inputs.ts";

/** ASCII and any Unicode, so that both ways of hashing are met; no lone surrogates, which JSON and UTF-8 would not keep. */
export const texts = fc.oneof(fc.string({ maxLength: 24 }), fc.string({ unit: "grapheme", maxLength: 12 }));

/** Shares with both ends and their neighbours often. */
export const shareBp = fc.oneof(fc.constantFrom(0, 1, 9_999, 10_000), fc.nat(10_000));

// Few names and values, so that rules and requests meet often.
const hosts = ["shop.example", "api.example"] as const;
const headerNames = ["x-user-id", "x-beta"] as const;
const values = ["", "1", "yes", "user-1", "user-2", "é"] as const;
const cookieNames = ["session", "beta"] as const;
const claims = ["sub", "plan"] as const;
const names = ["a", "b", "c", "d", "e"] as const;
/** The last of them is in no rule set. */
const segmentNames = ["testers", "staff", "unknown"] as const;

const path = fc.constantFrom("/", "/a", "/a/b", "/ab");
const pathMatch: fc.Arbitrary<PathMatch> = fc.oneof(
  fc.record({ prefix: path }),
  fc.record({ exact: path }),
  fc.record({ template: fc.constantFrom("/{x}", "/a/{x}", "/{x}/b", "/{x}/{y}", "/a/b") }),
);
const keySource: fc.Arbitrary<KeySource> = fc.oneof(
  fc.record({ header: fc.constantFrom(...headerNames) }),
  fc.record({ cookie: fc.constantFrom(...cookieNames) }),
  fc.record({ claim: fc.constantFrom(...claims) }),
  fc.constant({ clientAddress: true as const }),
);
const valueMatch = (names: readonly string[]) =>
  fc.oneof(
    fc.record({ name: fc.constantFrom(...names), exact: fc.constantFrom(...values) }),
    fc.record({ name: fc.constantFrom(...names), prefix: fc.constantFrom("u", "user-", "y") }),
    fc.record({ name: fc.constantFrom(...names), suffix: fc.constantFrom("1", "s") }),
    fc.record({ name: fc.constantFrom(...names), contains: fc.constantFrom("e", "r-") }),
    fc.record({ name: fc.constantFrom(...names), oneOf: fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }) }),
    fc.record({ name: fc.constantFrom(...names), regex: fc.constantFrom("user-[0-9]", ".*s") }),
    fc.record({ name: fc.constantFrom(...names), number: fc.constantFrom(">0", "<1", "=1") }),
    fc.record({ name: fc.constantFrom(...names), version: fc.constantFrom(">=1", "2.x") }),
    fc.record({ name: fc.constantFrom(...names), present: fc.boolean() }),
  );
const methods = ["GET", "POST"] as const;
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ header: valueMatch(headerNames) }),
  fc.record({ cookie: valueMatch(cookieNames) }),
  fc.record({ claim: valueMatch(claims) }),
  fc.record({ users: fc.array(fc.constantFrom("user-1", "user-2", "é"), { minLength: 1, maxLength: 3 }) }),
  fc.record({ userHashes: fc.array(fc.stringMatching(/^[0-9a-f]{16}$/), { minLength: 1, maxLength: 3 }) }),
  fc.record({ segment: fc.constantFrom(...segmentNames) }),
  fc.record({ query: valueMatch(["x", "y"]) }),
  fc.record({ path: pathMatch }),
  fc.record({ method: fc.uniqueArray(fc.constantFrom(...methods), { minLength: 1 }) }),
  fc.record({ clientAddress: fc.uniqueArray(fc.constantFrom("192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0"), { minLength: 1 }) }),
  fc.record({ userAgent: fc.record({ product: fc.constantFrom("Firefox", "Gecko") }) }),
);
const several = (inner: fc.Arbitrary<Condition>) => fc.array(inner, { minLength: 1, maxLength: 3 });
const pair: fc.Arbitrary<Condition> = fc.oneof(leaf, fc.record({ not: leaf }), fc.record({ all: several(leaf) }));
const condition: fc.Arbitrary<Condition> = fc.oneof(leaf, fc.record({ any: several(pair) }), fc.record({ all: several(pair) }));
const target: fc.Arbitrary<Target> = fc.record({
  name: fc.constantFrom("testers", "vip"),
  when: condition,
  variant: fc.constantFrom("stable", "canary"),
});
const routed = (cluster: string) => ({ cluster, tags: {} });
const tagged = (value: string) => ({ tags: { "x-serin-a": value } });
/** One variant or several beside stable, with and without lanes of their own, and some that only set tags. */
const variants: fc.Arbitrary<StaticRules["variants"]> = fc.oneof(
  fc.constant({ stable: routed("v1"), canary: routed("v2") }),
  fc.constantFrom<StaticRules["variants"][]>(
    { stable: routed("v1"), canary: routed("v2"), b: routed("v3") },
    { stable: routed("v1"), canary: { ...routed("v2"), lane: 4_000 }, b: routed("v3"), c: routed("v4") },
    { stable: routed("v1"), canary: { ...routed("v2"), lane: 10 }, b: { ...routed("v3"), lane: 2_500 } },
    { stable: tagged("off"), canary: tagged("on") },
    { stable: tagged("off"), canary: tagged("on"), b: tagged("more") },
  ),
);

/** A share of each variant, within its lane. */
export const sharesOf = (all: StaticRules["variants"]): fc.Arbitrary<Pick<LiveRule, "shareBp" | "shares">> => {
  const [grown, ...others] = [...lanesOf(all)];
  const width = grown?.[1].widthBp ?? 0;
  if (others.length === 0) return fc.record({ shareBp });
  const shares = fc.record(Object.fromEntries(others.map(([name, { widthBp }]) => [name, fc.nat(widthBp)])));
  return fc.record({ shareBp: fc.nat(width), shares: fc.option(shares, { nil: undefined }) });
};

const match: fc.Arbitrary<StaticRules["match"]> = fc
  .record({
    hosts: fc.uniqueArray(fc.constantFrom("*", "*.example", "*.eu.example", ...hosts), { minLength: 1 }),
    paths: fc.array(pathMatch, { minLength: 1, maxLength: 3 }),
  })
  .chain(({ hosts: ofHosts, paths }) =>
    fc.record(
      {
        hosts: fc.constant(ofHosts),
        paths: fc.constant(paths),
        methods: fc.uniqueArray(fc.constantFrom(...methods), { minLength: 1 }),
        headers: fc.array(valueMatch(headerNames), { minLength: 1, maxLength: 2 }),
      },
      { requiredKeys: ["hosts", "paths"] },
    ),
  );
const issued: fc.Arbitrary<KeySource[]> = fc.constantFrom([], [{ issued: { cookie: "id", maxAge: "365d" } }]);

const mixValues = fc.uniqueArray(fc.constantFrom("1", "yes", "user-1", "é"), { minLength: 1 });
const mixSource = fc.oneof(
  fc.record({ header: fc.constantFrom(...headerNames), values: mixValues }),
  fc.record({ cookie: fc.constantFrom(...cookieNames), values: mixValues }),
  fc.record({ claim: fc.constantFrom("sub", "plan"), values: mixValues }),
  fc.record({ userAgent: fc.constant(true as const), values: fc.uniqueArray(fc.constantFrom("Firefox", "Gecko"), { minLength: 1 }) }),
);
const mix: fc.Arbitrary<NonNullable<StaticRules["mix"]>> = fc.dictionary(fc.constantFrom("a", "b", "c"), mixSource, {
  minKeys: 1,
  maxKeys: 3,
  noNullPrototype: true,
});

export const rules: fc.Arbitrary<StaticRules> = fc.record(
  {
    match,
    key: fc.tuple(fc.array(keySource, { minLength: 1, maxLength: 3 }), issued).map(([sources, last]) => [...sources, ...last]),
    salt: texts.filter((text) => text !== ""),
    variants,
    targets: fc.array(target, { maxLength: 3 }),
    cohort: fc.record({ send: fc.boolean(), obey: fc.constantFrom(...names) }, { requiredKeys: ["send"] }),
    mix,
    mirror: fc.record({ cluster: fc.constant("shadow"), shareBp, methods: fc.uniqueArray(fc.constantFrom(...methods), { minLength: 1 }) }),
  },
  { requiredKeys: ["match", "key", "salt", "variants", "targets"] },
);
const rollout = rules.chain((all) =>
  fc
    .record({
      run: fc.nat(9),
      off: fc.boolean(),
      whenUnwatched: fc.constantFrom("stable" as const, "hold" as const),
      served: sharesOf(all.variants),
    })
    .map(({ served: { shareBp: share, shares }, run, off, whenUnwatched }) => {
      const live: LiveRule = { run, shareBp: share, off, whenUnwatched };
      return { rules: all, live: shares === undefined ? live : { ...live, shares } };
    }),
);

const segment = (name: string): fc.Arbitrary<SegmentRules> => {
  const packed = (users: readonly string[]): string => packUsers(tableOfHashes(users.map((user) => hashKey(segmentSalt(name), user))));
  return fc.record(
    {
      when: fc.oneof(fc.record({ header: valueMatch(headerNames) }), fc.record({ claim: valueMatch(claims) })),
      packedUsers: fc.uniqueArray(fc.constantFrom("user-1", "user-2", "é"), { minLength: 1 }).map(packed),
    },
    { requiredKeys: [] },
  );
};

/** Rule sets of up to five rollouts that compete for two hosts and four paths. */
export const ruleSets: fc.Arbitrary<RuleSet> = fc.record({
  format: fc.constant(1 as const),
  epoch: fc.nat(9),
  revision: fc.nat(9),
  rollouts: fc.dictionary(fc.constantFrom(...names), rollout, { maxKeys: 5, noNullPrototype: true }),
  segments: fc.record({ testers: segment("testers"), staff: segment("staff") }, { requiredKeys: [] }),
});

const cookieHeader = fc
  .array(fc.tuple(fc.constantFrom(...cookieNames), fc.constantFrom(...values)), { minLength: 1, maxLength: 3 })
  .map((pairs): readonly [string, string] => ["cookie", pairs.map(([name, value]) => `${name}=${value}`).join("; ")]);

const baggage = fc
  .tuple(fc.constantFrom(...names), fc.constantFrom("canary", "stable", "b", "other"))
  .map(([name, variant]): readonly [string, string] => ["baggage", `x=1, serin.${name}=${variant}`]);

/** Requests that such rule sets may govern. */
export const requests: fc.Arbitrary<PlainRequest & { readonly headers: NonNullable<PlainRequest["headers"]> }> = fc.record({
  host: fc.constantFrom("shop.example", "SHOP.example:80", "api.example", "other.example", "a.eu.example", "example", "other"),
  method: fc.constantFrom(...methods, "PUT"),
  path: fc.constantFrom("/", "/a", "/a?x=1", "/a/b", "/a/b/c", "/ab", "*", "/a?x=user-1&y=1"),
  headers: fc.array(
    fc.oneof(fc.tuple(fc.constantFrom(...headerNames, "user-agent"), fc.constantFrom(...values, "Firefox/1 Gecko")), cookieHeader, baggage),
    { maxLength: 4 },
  ),
  clientAddress: fc.option(fc.constantFrom("192.0.2.1", "2001:db8::1"), { nil: undefined }),
  claims: fc.option(fc.dictionary(fc.constantFrom(...claims), fc.array(fc.constantFrom(...values), { maxLength: 2 })), { nil: undefined }),
  isTrustedPeer: fc.boolean(),
  issued: fc.option(fc.constantFrom("id-1", "id-2"), { nil: undefined }),
});

/** Whom operators may have switched off from such rule sets. */
export const kills: fc.Arbitrary<Kills> = fc.record({
  all: fc.boolean(),
  rollouts: fc.uniqueArray(fc.constantFrom(...names)).map((some) => new Set<string>(some)),
  users: fc.constant(new Map<string, ReadonlySet<string>>()),
  segments: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...segmentNames), fc.option(fc.constantFrom(...names), { nil: undefined })), {
      selector: ([segment]) => segment,
      maxLength: 2,
    })
    .map((some) => new Map(some.map(([segment, rollout]) => [segment, rollout === undefined ? "all" : new Set([rollout])] as const))),
});

/** Ways to match paths that begin alike. */
export const manyPaths: fc.Arbitrary<PathMatch> = fc.oneof(
  fc.record({ prefix: fc.constantFrom("/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/a/b/c/d/e") }),
  fc.record({ exact: fc.constantFrom("/", "/a", "/a/", "/a/b", "/ab/d") }),
  fc.record({ template: fc.constantFrom("/{x}", "/a/{x}", "/{x}/b/{y}") }),
);

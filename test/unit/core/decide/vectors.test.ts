import { describe, expect, test } from "vitest";
import { RuleSetSchema } from "../../../../src/contract/rules.ts";
import { bucketOf, controlStart, hashKey, murmur3, murmur3Text, thresholdOf } from "../../../../src/core/decide/bucket.ts";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";
import { plainBucket, plainLane, plainMurmur3, plainVariant } from "../../../support/plain-bucketing.ts";
import bucketing from "../../../vectors/bucketing.json" with { type: "json" };
import decisions from "../../../vectors/decisions.json" with { type: "json" };

describe("the hash is MurmurHash3 x86 32 as published", () => {
  test.each(bucketing.murmur3)("of $text with seed $seed", ({ text, seed, hash }) => {
    expect({
      bytes: murmur3(new TextEncoder().encode(text), seed),
      text: murmur3Text(text, seed),
      plain: Number(plainMurmur3(text, BigInt(seed))),
    }).toEqual({ bytes: hash, text: hash, plain: hash });
  });
});

describe("a threshold is pinned for ever", () => {
  test.each(bucketing.thresholds)("of $shareBp basis points", ({ shareBp, threshold }) => {
    expect(thresholdOf(shareBp)).toBe(threshold);
  });
});

describe("a bucket is pinned for ever", () => {
  test.each(bucketing.buckets)(
    "$why: $salt $key at $shareBp bp",
    ({ salt, key, shareBp, bucket, threshold, variant, control, userHash }) => {
      expect(bucketOf(salt, key)).toBe(bucket);
      expect(thresholdOf(shareBp)).toBe(threshold);
      expect(bucket < threshold ? "canary" : "stable").toBe(variant);
      expect(bucket >= controlStart(threshold) && variant === "stable").toBe(control);
      expect(hashKey(salt, key)).toBe(userHash);
    },
  );

  test.each(bucketing.buckets)(
    "$why: the plain twin says so too of $salt $key at $shareBp bp",
    ({ salt, key, shareBp, bucket, variant }) => {
      expect([plainBucket(salt, key), plainVariant(salt, key, shareBp)]).toEqual([bucket, variant]);
    },
  );
});

describe("a variant's lane is pinned for ever", () => {
  test.each(bucketing.lanes)("$why: $key", ({ salt, key, lanes, variant, control }) => {
    const [grown, ...others] = lanes;
    const variants = Object.fromEntries(lanes.map(({ name, widthBp }) => [name, { cluster: name, tags: {}, lane: widthBp }]));
    const rule = ruleOf(
      { salt, variants: { stable: { cluster: "stable", tags: {} }, ...variants } },
      { shareBp: grown?.shareBp ?? Number.NaN, shares: Object.fromEntries(others.map(({ name, shareBp }) => [name, shareBp])) },
    );
    const decision = decide(compile(ruleSetOf({ ranking: rule })), factsOf({ headers: [["x-user-id", key]] }));
    expect([decision.variant, decision.control]).toEqual([variant, control]);
    expect(plainLane(salt, key, lanes)).toEqual({ variant, control });
  });
});

describe("a decision is pinned for ever", () => {
  const ruleSet = RuleSetSchema.parse(decisions.ruleSet);

  test.each(decisions.cases)("$title", ({ unwatched, request, expected }) => {
    const headers = request.headers.map(([name = "", value = ""]) => [name, value] as const);
    const decision = decide(compile(ruleSet, { unwatched }), factsOf({ ...request, headers }));
    // JSON has no undefined; the vectors write null for it. What they do not name came later.
    expect(Object.fromEntries(Object.entries(decision).map(([name, value]) => [name, value ?? null]))).toMatchObject(expected);
  });
});

import { describe, expect, test } from "vitest";
import { BUCKETS, bucketOf, controlStart, hashKey, thresholdOf, userHash } from "../../../../src/core/decide/bucket.ts";

describe("a share becomes a threshold", () => {
  test.each([
    { title: "nothing below 0 %", shareBp: 0, threshold: 0 },
    { title: "everything below 100 %", shareBp: 10_000, threshold: BUCKETS },
    { title: "half at 50 %", shareBp: 5_000, threshold: BUCKETS / 2 },
    { title: "rounded down at 0.01 %", shareBp: 1, threshold: 429_496 },
  ])("$title", ({ shareBp, threshold }) => {
    expect(thresholdOf(shareBp)).toBe(threshold);
  });
});

describe("the control slice", () => {
  const full = BUCKETS;
  test.each([
    { title: "is empty without a canary", threshold: 0, bucket: full - 1, control: false },
    { title: "is empty when all are canary", threshold: full, bucket: full - 1, control: false },
    { title: "begins as far from the end as the canary reaches from the start", threshold: 100, bucket: full - 100, control: true },
    { title: "leaves out the bucket before that", threshold: 100, bucket: full - 101, control: false },
    { title: "reaches the last bucket", threshold: 100, bucket: full - 1, control: true },
    { title: "is all of stable when less than half is left", threshold: full - 100, bucket: full - 100, control: true },
    { title: "never reaches into the canary", threshold: full - 100, bucket: full - 101, control: false },
  ])("$title", ({ threshold, bucket, control }) => {
    expect(bucket >= controlStart(threshold)).toBe(control);
  });
});

describe("a user's hash", () => {
  test("is 16 hex digits, with leading zeros kept", () => {
    const hashes = Array.from({ length: 512 }, (_, index) => hashKey("checkout", `user-${index}`));
    expect(hashes.filter((hash) => !/^[0-9a-f]{16}$/.test(hash))).toEqual([]);
    expect(hashes.some((hash) => hash.startsWith("0"))).toBe(true);
  });

  test("does not show the bucket", () => {
    const bucket = bucketOf("checkout", "user-1").toString(16).padStart(8, "0");
    expect(hashKey("checkout", "user-1")).not.toContain(bucket);
  });

  test("depends on the salt", () => {
    expect(hashKey("checkout", "user-1")).not.toBe(hashKey("checkout-2", "user-1"));
  });

  test("is the same by the salt's seed", () => {
    expect(userHash(bucketOf("", ""), "user-1")).toBe(hashKey("", "user-1"));
  });
});

test("a lone surrogate is hashed as U+FFFD, so every text has a bucket", () => {
  expect(bucketOf("checkout", "\ud800")).toBe(bucketOf("checkout", "\ufffd"));
});

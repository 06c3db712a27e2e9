import { expect, test } from "vitest";
import { warm } from "../../../src/sidecar/warm.ts";

test("warming goes the whole way from bytes to bytes, through every kind of key, and every request is answered by its bytes", () => {
  const answered = warm();
  expect(answered.requests).toBeGreaterThanOrEqual(300);
  // An answer has frames for headers, message and trailers, and its metadata.
  expect(answered.bytes).toBeGreaterThan(answered.requests * 100);
  expect(answered.variants).toEqual(new Set(["stable", "canary"]));
});

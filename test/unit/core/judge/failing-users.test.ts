import { describe, expect, test } from "vitest";
import type { VariantName } from "../../../../src/contract/rollout.ts";
import { failingUsers, type RunSketch } from "../../../../src/core/judge/failing-users.ts";
import { EMPTY_SKETCH, keyHash, sketchOf } from "../../../../src/core/judge/key-sketch.ts";

/** Failing requests by bucket, under one run on one variant. */
const failed = (run: number, variant: VariantName, requests: Record<number, number>): RunSketch => ({
  run,
  variant,
  users: sketchOf(new Map(Object.entries(requests).map(([bucket, count]) => [keyHash(Number(bucket)), count]))),
});
const users = (from: number, count: number, requests = 1): Record<number, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [from + index, requests]));
const history = (...buckets: number[]) => sketchOf(new Map(buckets.map((bucket) => [keyHash(bucket), 0])));

const nobody = { distinct: 0, newlyFailing: 0, requests: 0, knownRequests: 0, isExact: true };

describe("the failing users of an attempt", () => {
  test.each([
    {
      title: "one broken client behind 50 sidecars is one user, with the requests of all",
      runs: Array.from({ length: 50 }, () => failed(2, "canary", { 7: 3 })),
      expected: { canary: { ...nobody, distinct: 1, newlyFailing: 1, requests: 150 } },
    },
    {
      title: "broken clients that failed before fail newly on no side, and their requests are known",
      runs: [failed(2, "canary", { 1: 40, 2: 50 }), failed(2, "stable", { 3: 60 })],
      known: [1, 2, 3],
      expected: {
        known: 3,
        canary: { ...nobody, distinct: 2, requests: 90, knownRequests: 90 },
        stable: { ...nobody, distinct: 1, requests: 60, knownRequests: 60 },
      },
    },
    {
      title: "a canary that breaks 10 tenants has 10 newly failing users, however many requests each sends",
      runs: [failed(2, "canary", users(100, 10, 500))],
      known: [1, 2],
      expected: { known: 2, canary: { ...nobody, distinct: 10, newlyFailing: 10, requests: 5_000 } },
    },
    {
      title: "failures that come in clusters count once a user on both sides",
      runs: [failed(2, "canary", { 1: 900 }), failed(2, "stable", { 50: 1, 51: 700 })],
      expected: {
        canary: { ...nobody, distinct: 1, newlyFailing: 1, requests: 900 },
        stable: { ...nobody, distinct: 2, newlyFailing: 2, requests: 701 },
      },
    },
    {
      title: "a user that failed on stable and comes to the canary with a larger share is not the canary's",
      runs: [failed(2, "stable", { 9: 1 }), failed(3, "canary", { 9: 4 })],
      expected: {
        canary: { ...nobody, distinct: 1, requests: 4 },
        stable: { ...nobody, distinct: 1, newlyFailing: 1, requests: 1 },
      },
    },
    {
      title: "a user that fails under run after run is newly failing once",
      runs: [failed(4, "canary", { 9: 1 }), failed(2, "canary", { 9: 1 }), failed(3, "canary", { 9: 1, 10: 1 })],
      expected: { canary: { ...nobody, distinct: 2, newlyFailing: 2, requests: 4 } },
    },
    {
      title: "a user that fails on both variants under one run, as a target can bring about, counts for both",
      runs: [failed(2, "stable", { 9: 1 }), failed(2, "canary", { 9: 1 })],
      expected: {
        canary: { ...nobody, distinct: 1, newlyFailing: 1, requests: 1 },
        stable: { ...nobody, distinct: 1, newlyFailing: 1, requests: 1 },
      },
    },
    {
      title: "who failed on stable in an earlier attempt is known",
      runs: [failed(1, "stable", { 9: 5 }), failed(2, "canary", { 9: 2 })],
      expected: { known: 1, canary: { ...nobody, distinct: 1, requests: 2, knownRequests: 2 } },
    },
    {
      title: "who was a victim of an earlier canary is not known, for the same users come first again",
      runs: [failed(1, "canary", { 9: 5 }), failed(2, "canary", { 9: 2 })],
      expected: { canary: { ...nobody, distinct: 1, newlyFailing: 1, requests: 2 } },
    },
    { title: "nobody failed, so all is nothing", runs: [], expected: {} },
  ])("$title", ({ runs, known = [], expected }) => {
    const found = failingUsers({ runs, history: history(...known) }, 2);
    expect(found).toEqual({ known: 0, canary: nobody, stable: nobody, ...expected });
  });

  test("are estimates, and say so, where more fail than a sketch keeps", () => {
    const runs = [failed(2, "canary", users(0, 20_000)), failed(2, "stable", users(1_000_000, 500, 2))];
    const { canary, stable } = failingUsers({ runs, history: EMPTY_SKETCH }, 2);
    expect(canary.isExact).toBe(false);
    expect(Math.abs(canary.distinct / 20_000 - 1)).toBeLessThan(0.125);
    expect(Math.abs(canary.newlyFailing / 20_000 - 1)).toBeLessThan(0.125);
    expect(Math.abs(canary.requests / 20_000 - 1)).toBeLessThan(0.125);
    expect(stable).toEqual({ distinct: 500, newlyFailing: 500, requests: 1_000, knownRequests: 0, isExact: true });
  });

  test("are estimates too where the history is a sample", () => {
    const sampled = { ...EMPTY_SKETCH, theta: 2 ** 31 };
    const { canary } = failingUsers({ runs: [failed(2, "canary", users(0, 900))], history: sampled }, 2);
    expect([canary.distinct, canary.isExact]).toEqual([900, false]);
    expect(Math.abs(canary.newlyFailing / 900 - 1)).toBeLessThan(0.15);
  });
});

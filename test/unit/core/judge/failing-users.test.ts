import { describe, expect, test } from "vitest";
import type { VariantName } from "../../../../src/contract/rollout.ts";
import { failingUsers, halfOfUsers, type RunSketch } from "../../../../src/core/judge/failing-users.ts";
import { EMPTY_SKETCH, isInKeyHalf, keyHash, sketchOf } from "../../../../src/core/judge/key-sketch.ts";

/** Failing requests by bucket, under one run on one variant. */
const failed = (run: number, variant: VariantName, requests: Record<number, number>): RunSketch => ({
  run,
  variant,
  users: sketchOf(new Map(Object.entries(requests).map(([bucket, count]) => [keyHash(Number(bucket)), count]))),
});
const users = (from: number, count: number, requests = 1): Record<number, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [from + index, requests]));
const history = (...buckets: number[]) => sketchOf(new Map(buckets.map((bucket) => [keyHash(bucket), 0])));

const HOUR_MS = 3_600_000;
const ATTEMPT = { firstRun: 2, elapsedMs: HOUR_MS / 60 };
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
    const found = failingUsers({ runs, history: history(...known) }, ATTEMPT);
    expect(found).toEqual({ known: 0, canary: nobody, stable: nobody, ...expected });
  });

  test("are estimates, and say so, where more fail than a sketch keeps", () => {
    const runs = [failed(2, "canary", users(0, 20_000)), failed(2, "stable", users(1_000_000, 500, 2))];
    const { canary, stable } = failingUsers({ runs, history: EMPTY_SKETCH }, ATTEMPT);
    expect(canary.isExact).toBe(false);
    expect(Math.abs(canary.distinct / 20_000 - 1)).toBeLessThan(0.125);
    expect(Math.abs(canary.newlyFailing / 20_000 - 1)).toBeLessThan(0.125);
    expect(Math.abs(canary.requests / 20_000 - 1)).toBeLessThan(0.125);
    expect(stable).toEqual({ distinct: 500, newlyFailing: 500, requests: 1_000, knownRequests: 0, isExact: true });
  });

  test("are estimates too where the history is a sample", () => {
    const sampled = { ...EMPTY_SKETCH, theta: 2 ** 31 };
    const { canary } = failingUsers({ runs: [failed(2, "canary", users(0, 900))], history: sampled }, ATTEMPT);
    expect([canary.distinct, canary.isExact]).toEqual([900, false]);
    expect(Math.abs(canary.newlyFailing / 900 - 1)).toBeLessThan(0.15);
  });
});

describe("failing requests of users that are known to fail", () => {
  /** Failing requests an hour, by bucket. */
  const paces = (of: Record<number, number>) => failed(0, "stable", of).users;

  test.each([
    {
      title: "all count as known where they come as before: a client that always fails, at one request in 2 s",
      pace: 1_800,
      requests: 30,
      known: 30,
    },
    { title: "count as known up to twice the pace before and three", pace: 1_800, requests: 100, known: 63 },
    { title: "count as new beyond that: a tenant that failed now and then, and always from now on", pace: 3, requests: 300, known: 3 },
    { title: "all count as known where a history tells only who failed", pace: 0, requests: 300, known: 300 },
  ])("$title", ({ pace, requests, known }) => {
    const united = { runs: [failed(2, "canary", { 7: requests })], history: paces({ 7: pace }) };
    expect(failingUsers(united, ATTEMPT).canary).toMatchObject({ requests, newlyFailing: 0, knownRequests: known });
  });

  test("may be more the longer the attempt lasts", () => {
    const united = { runs: [failed(2, "canary", { 7: 5_000 })], history: paces({ 7: 60 }) };
    const known = [0, HOUR_MS / 2, HOUR_MS].map((elapsedMs) => failingUsers(united, { firstRun: 2, elapsedMs }).canary.knownRequests);
    expect(known).toEqual([5, 63, 123]);
  });

  test("may be as many as in an earlier attempt, and a few more", () => {
    const united = { runs: [failed(1, "stable", { 7: 40 }), failed(2, "canary", { 7: 100 })], history: EMPTY_SKETCH };
    expect(failingUsers(united, ATTEMPT).canary.knownRequests).toBe(43);
  });

  test("are judged user by user: ten tenants of 300 that fail always stand out, though all failed before", () => {
    const tenants = (requests: number, count = 300) => users(0, count, requests);
    const united = { runs: [failed(2, "canary", tenants(60, 10)), failed(2, "stable", users(10, 290, 1))], history: paces(tenants(6)) };
    const { canary, stable } = failingUsers(united, ATTEMPT);
    expect([canary.requests - canary.knownRequests, stable.requests - stable.knownRequests]).toEqual([10 * 57, 0]);
  });
});

test("a half of users has their figures alone, and the two halves make the whole", () => {
  const united = {
    runs: [failed(2, "stable", users(0, 400, 2)), failed(3, "canary", users(900, 10))],
    history: history(1, 2, 3, 4, 5, 6, 7, 8),
  };
  const [all, half] = [united, halfOfUsers(united)].map((each) => failingUsers(each, ATTEMPT).stable);
  const inHalf = Array.from({ length: 400 }, (_, bucket) => bucket).filter((bucket) => isInKeyHalf(keyHash(bucket)));
  expect([half?.distinct, half?.requests]).toEqual([inHalf.length, 2 * inHalf.length]);
  expect(half?.knownRequests).toBe(2 * inHalf.filter((bucket) => bucket >= 1 && bucket <= 8).length);
  expect(all?.distinct).toBe(400);
});

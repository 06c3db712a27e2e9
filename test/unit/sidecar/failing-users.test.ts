import { beforeEach, describe, expect, test } from "vitest";
import { countsOf, keyHash } from "../../../src/core/judge/key-sketch.ts";
import { createFailingUsers, type FailingUsers } from "../../../src/sidecar/failing-users.ts";
import type { RuleStanding } from "../../../src/sidecar/rollout-failures.ts";

const DAY_MS = 86_400_000;
let nowMs: number;
let standing: RuleStanding;
let overflows: number;
let failing: FailingUsers;

const begin = (maxUsers?: number): FailingUsers =>
  createFailingUsers({
    nowMs: () => nowMs,
    standingOf: () => standing,
    onOverflow: () => (overflows += 1),
    ...(maxUsers === undefined ? {} : { maxUsers }),
  });

beforeEach(() => {
  nowMs = 1_000;
  standing = "under way";
  overflows = 0;
  failing = begin();
});

const fail = (bucket: number, run = 2, variant: "stable" | "canary" = "canary", rollout = "checkout"): void =>
  failing.failed({ rollout, run, variant, bucket });
const NAMES = new Map(Array.from({ length: 500 }, (_, bucket) => [keyHash(bucket), bucket]));
/** Buckets with their failing requests, by what they are counted for. */
const counted = () =>
  Object.fromEntries(
    [...failing.all()].map(({ id, users }) => [
      id,
      Object.fromEntries([...countsOf(users())].map(([key, count]) => [NAMES.get(key), count])),
    ]),
  );
const first = () => [...failing.all()][0];
const elapse = (ms: number): void => {
  nowMs += ms;
  // Time passes as the parts are walked.
  Array.from(failing.all());
};

describe("while a rollout is under way", () => {
  test("users are counted by run and variant, each once with all its requests", () => {
    for (const [bucket, run, variant] of [
      [7, 2, "canary"],
      [7, 2, "canary"],
      [8, 2, "stable"],
      [7, 3, "canary"],
    ] as const)
      fail(bucket, run, variant);
    expect(counted()).toEqual({ "checkout 2 canary": { 7: 2 }, "checkout 2 stable": { 8: 1 }, "checkout 3 canary": { 7: 1 } });
  });

  test("rollouts are counted apart", () => {
    fail(7);
    fail(7, 2, "canary", "search");
    expect(Object.keys(counted())).toEqual(["checkout 2 canary", "search 2 canary"]);
  });

  test("a change, and nothing else, gives another version", () => {
    fail(7);
    fail(8, 3);
    const before = first();
    fail(8, 3);
    expect(first()?.version).toBe(before?.version);
    fail(7);
    expect(first()?.version).not.toBe(before?.version);
  });

  test("the last 16 runs are kept; who failed on stable under older ones is history, who failed on their canary is not", () => {
    fail(1, 1, "stable");
    fail(2, 1, "canary");
    for (let run = 2; run <= 17; run += 1) fail(3, run, "stable");
    const ids = Object.keys(counted());
    expect([ids.length, ids.includes("checkout 1 stable"), counted()["checkout history"]]).toEqual([17, false, { 1: 360 }]);
  });
});

describe("while a rollout rests", () => {
  beforeEach(() => {
    standing = { restingRun: 4 };
  });

  test("who fails on stable is remembered with its pace: failing requests an hour", () => {
    const failEach = (minutes: number, times: number): void => {
      for (let time = 0; time < times; time += 1) {
        fail(7, 4, "stable");
        elapse(minutes * 60_000);
      }
    };
    fail(8, 4, "stable");
    failEach(1, 30);
    expect(counted()).toEqual({ "checkout history": { 7: 60, 8: 2 } });
    failEach(30, 47);
    expect(counted()).toEqual({ "checkout history": { 7: 4, 8: 1 } });
  });

  test("a first failure counts as one in ten seconds, because it tells no pace yet", () => {
    fail(7, 4, "stable");
    expect(counted()).toEqual({ "checkout history": { 7: 360 } });
  });

  test("a history has another version when a user is new in it or a count doubled, and when an attempt begins", () => {
    const versions: (number | undefined)[] = [];
    for (let time = 1; time <= 5; time += 1) {
      fail(7, 4, "stable");
      versions.push(first()?.version);
    }
    standing = "under way";
    elapse(0);
    versions.push(first()?.version);
    elapse(1_000);
    versions.push(first()?.version);
    expect(versions.map((version, index) => version !== versions[index - 1])).toEqual([true, true, false, true, false, true, false]);
  });

  test("an attempt's begin is nothing new where nobody is known", () => {
    fail(7, 4, "canary");
    standing = "under way";
    elapse(0);
    expect(counted()).toEqual({ "checkout 4 canary": { 7: 1 } });
  });

  test("what comes late from the attempt still counts for its run", () => {
    fail(7, 4, "canary");
    fail(8, 3, "stable");
    expect(counted()).toEqual({ "checkout 4 canary": { 7: 1 }, "checkout 3 stable": { 8: 1 } });
  });

  test("a user is known for one to two days", () => {
    fail(1, 4, "stable");
    elapse(DAY_MS - 1);
    fail(2, 4, "stable");
    elapse(1);
    fail(3, 4, "stable");
    expect(counted()).toEqual({ "checkout history": { 1: 1, 2: 1, 3: 1 } });
    elapse(DAY_MS);
    expect(counted()).toEqual({ "checkout history": { 3: 1 } });
  });

  test("nobody is known after two days of silence, though nobody asked meanwhile", () => {
    fail(1, 4, "stable");
    elapse(2 * DAY_MS);
    expect(counted()).toEqual({ "checkout history": {} });
  });

  test("the runs of an attempt become history with the day, and who failed on stable is known for one more", () => {
    fail(1, 3, "stable");
    fail(2, 3, "canary");
    elapse(0);
    elapse(DAY_MS);
    expect(counted()).toEqual({ "checkout history": { 1: 1 } });
    elapse(DAY_MS);
    expect(counted()).toEqual({ "checkout history": {} });
  });

  test("no time passes during an attempt: who was known at its begin is known to its end", () => {
    fail(1, 4, "stable");
    elapse(DAY_MS / 2);
    standing = "under way";
    elapse(0);
    elapse(30 * DAY_MS);
    standing = { restingRun: 9 };
    elapse(0);
    elapse(DAY_MS / 2 - 1);
    fail(2, 9, "stable");
    elapse(1);
    expect(counted()).toEqual({ "checkout history": { 1: 1, 2: 1 } });
    elapse(DAY_MS);
    expect(counted()).toEqual({ "checkout history": {} });
  });
});

test("a rollout that left the rule set is let go a day later, and not when it comes back before", () => {
  fail(1);
  standing = "absent";
  elapse(0);
  elapse(DAY_MS - 1);
  standing = "under way";
  elapse(0);
  standing = "absent";
  elapse(DAY_MS - 1);
  expect(counted()).toEqual({ "checkout 2 canary": { 1: 1 } });
  elapse(DAY_MS);
  expect(counted()).toEqual({});
});

test("over all rollouts there is room for so many users; beyond it failures are counted as not counted", () => {
  failing = begin(10);
  for (let bucket = 0; bucket < 8; bucket += 1) fail(bucket);
  for (let bucket = 0; bucket < 8; bucket += 1) fail(bucket, 2, "canary", "search");
  expect(Object.values(counted()["search 2 canary"] ?? {}).length).toBe(2);
  expect(overflows).toBe(6);
});

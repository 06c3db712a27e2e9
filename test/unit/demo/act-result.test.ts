import { expect, test } from "vitest";
import type { PlayedAct } from "../../../src/demo/act.ts";
import { resultOf, summaryOf } from "../../../src/demo/act-result.ts";
import type { SeenRequest } from "../../../src/demo/traffic.ts";
import { plainVariant } from "../../support/plain-bucketing.ts";

const request = (user: string, startMs: number, seen: SeenRequest["seen"], status = 200): SeenRequest => ({
  host: "h",
  user,
  startMs,
  endMs: startMs + 1,
  status,
  seen,
});

const USERS = Array.from({ length: 20 }, (_, index) => `user-${index}`);

const act: PlayedAct = {
  name: "bad-canary",
  outcome: "rolledBack",
  seconds: 2.5,
  requests: [
    ...USERS.map((user) => request(user, 2_000, plainVariant("bad-canary", user, 5_000))),
    request("user-0", 4_000, "stable", 503),
    request("user-0", 4_100, "canary"),
  ],
  changes: [
    { shareBp: 5_000, issuedMs: 1_000, obeyedMs: 1_010, isRollback: false },
    { shareBp: 0, issuedMs: 3_000, obeyedMs: 3_010, isRollback: true },
  ],
  failedOpen: 2,
  firstFailureToLastCanaryRequestMs: 321,
};

test("an act is counted by the rollout's own salt, and keeps neither requests nor changes", () => {
  const onCanary = USERS.filter((user) => plainVariant("bad-canary", user, 5_000) === "canary").length;
  expect(onCanary).toBeGreaterThan(0);
  expect(resultOf(act, plainVariant)).toEqual({
    name: "bad-canary",
    outcome: "rolledBack",
    seconds: 2.5,
    requests: 22,
    failedRequests: 1,
    rescued: 0,
    misrouted: 1,
    movedBack: 0,
    failedOpen: 2,
    firstFailureToLastCanaryRequestMs: 321,
    stages: [
      { shareSet: 5_000, shareSeen: onCanary * 500, seconds: 2, requests: 20 },
      { shareSet: 0, shareSeen: 5_000, seconds: 1.1, requests: 2 },
    ],
  });
});

test("a twin that buckets otherwise finds misrouted users, so the count can fail", () => {
  const otherwise = resultOf(act, (salt, key, shareBp) => plainVariant(`${salt}-other`, key, shareBp));
  expect(otherwise.misrouted).toBeGreaterThan(1);
});

test("an act for people names its outcome, shares and counts", () => {
  const { firstFailureToLastCanaryRequestMs: _, ...promoted } = resultOf(
    { ...act, name: "good-canary", outcome: "promoted", requests: [] },
    plainVariant,
  );
  expect(summaryOf(promoted)).toBe(
    "good-canary: promoted after 2.5 s; 50 % (seen –) → 0 % (seen –)\n  0 requests, 0 failed, 0 rescued, 0 misrouted, 0 users moved back, 2 failed open",
  );
  expect(summaryOf(resultOf(act, plainVariant))).toContain("\n  321 ms from the first failure to the last request on the canary");
});

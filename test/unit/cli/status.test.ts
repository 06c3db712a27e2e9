import { expect, test } from "vitest";
import type { Picture } from "../../../src/cli/picture.ts";
import { phaseText, statusText } from "../../../src/cli/status.ts";
import type { PlanState } from "../../../src/contract/live.ts";

const served = { run: 3, firstRun: 1, sinceMs: 0 };

test.each<[PlanState, string]>([
  [{ phase: "pending", ...served }, "pending, waiting for every sidecar"],
  [{ phase: "pending", ...served, missing: ["s1", "s2"] }, "pending, waiting for s1, s2"],
  [{ phase: "pending", ...served, missing: ["a", "b", "c", "d", "e", "f", "g"] }, "pending, waiting for a, b, c, d, e and 2 more"],
  [{ phase: "pending", ...served, missing: ["no sidecar has reported"] }, "pending, no sidecar has reported yet"],
  [{ phase: "stage", ...served, stage: 1, begunAtMs: null }, "stage 2 of 4, waiting for every sidecar"],
  [{ phase: "stage", ...served, stage: 1, begunAtMs: 5 }, "stage 2 of 4"],
  [{ phase: "paused", ...served, stage: 1, reason: "lunch" }, "paused (lunch)"],
  [{ phase: "promoting", ...served }, "promoting to 100 %, waiting for every sidecar"],
  [
    { phase: "promoted", ...served, overdue: true },
    "promoted, waiting for hand-over (overdue): keep the old stable up until `serin handover`",
  ],
  [{ phase: "rollingBack", ...served, reason: "errors" }, "rolling back (errors)"],
  [{ phase: "rolledBack", ...served, reason: "errors", stragglers: ["s2"] }, "rolled back (errors), not confirmed by s2"],
  [{ phase: "handedOver", ...served }, "handed over"],
])("a plan %j reads %s", (plan, text) => {
  expect(phaseText({ plan, stages: 4 })).toBe(text);
});

test("status shows leader, sidecars, shares and the verdict with its numbers", () => {
  const check = {
    name: "errors",
    verdict: "hold",
    stable: 0.001,
    canary: 0.012,
    difference: 0.011,
    upper: null,
    threshold: 0.005,
    odds: 12.34,
    weight: 0.5,
    dispersion: 1.2,
    stableSample: 9_000,
    canarySample: 900,
  } as const;
  const picture: Picture = {
    leader: null,
    orders: [
      { format: 1, scope: { rollout: "checkout" }, off: true, atMs: 140_000, who: "ann", reason: "wrong prices" },
      { format: 1, scope: { segment: "staff" }, off: true, atMs: 195_000, who: "ben" },
    ],
    sidecars: [
      { id: "s1", heard: true, state: "stale", isCurrent: false, problem: null },
      { id: "s2", heard: false, state: null, isCurrent: false, problem: null },
    ],
    rollouts: [
      {
        name: "checkout",
        plan: { phase: "stage", ...served, stage: 0, begunAtMs: 0 },
        stages: 4,
        shareBp: 500,
        updatedAtMs: 0,
        lastAction: null,
        mix: null,
        failingUsers: {
          known: 2,
          stable: { distinct: 3, newlyFailing: 1, requests: 9, knownRequests: 7, isExact: true },
          canary: { distinct: 1_500, newlyFailing: 1_490, requests: 3_000, knownRequests: 12, isExact: false },
        },
        judge: {
          shareSeenBp: 487,
          totals: {
            stable: { decided: 9_002, settled: 9_000, requests: 9_000, failed: 9 },
            canary: { decided: 920, settled: 901, requests: 900, failed: 11 },
            control: { decided: 0, settled: 0, requests: 0, failed: 0 },
          },
          verdict: {
            verdict: "hold",
            reason: "too close to tell",
            proven: "",
            odds: 1,
            alpha: 0.01,
            inputs: "",
            safeShareBp: 0,
            checks: [check],
            unended: { stable: 0, canary: 12 },
            atMs: 0,
            sinceMs: 0,
            run: 3,
            runSample: 900,
          },
        },
      },
    ],
  };
  expect(statusText(picture, 200_000)).toBe(
    [
      "no controller leads: nothing advances, and shares go home unless a beat is heard",
      "2 sidecars known, 1 heard just now",
      "  missing the newest rules: s1",
      "  not heard in the last moments: s2 (`serin forget ID` if gone for good)",
      "  s1 is stale",
      "switched off: checkout, by ann (wrong prices), for 1 min 0 s",
      "switched off: all rollouts, users of segment staff, by ben, for 5 s",
      "",
      "checkout: stage 1 of 4, for 3 min 20 s",
      "  share set 5 %, seen 4.87 %, run 3",
      "  stable 9000 requests, 9 failed, 2 open; canary 900 requests, 11 failed, 19 open, 12 for more than 2 s",
      "  users that failed: stable 3, 1 newly; canary about 1500, 1490 newly",
      "  failing requests by the 2 known to fail before: stable 7 of 9; canary 12 of 3000",
      "  verdict hold, safe share 0 %: too close to tell",
      "  check   stable  canary  at most worse by  tolerated  odds of harm",
      "  errors  0.10 %  1.20 %  –                 0.50 %     12.3 : 1",
      "",
    ].join("\n"),
  );
});

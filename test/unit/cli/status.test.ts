import { expect, test } from "vitest";
import { statusText } from "../../../src/cli/status.ts";
import type { PlanState } from "../../../src/contract/live.ts";
import type { Picture } from "../../../src/contract/picture.ts";
import { RAMP_PRESETS, type Ramp } from "../../../src/contract/ramp.ts";
import type { VerdictRecord } from "../../../src/contract/verdict.ts";
import { nextText, phaseText, planShape, silenceText } from "../../../src/told/phase-text.ts";

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
  [
    { phase: "rollingBack", ...served, reason: "slow", left: { shareBp: 4_000, begunAtMs: null } },
    "rolling back in steps, 40 % left, `serin abort` ends it at once (slow)",
  ],
  [{ phase: "rolledBack", ...served, reason: "errors", stragglers: ["s2"] }, "rolled back (errors), not confirmed by s2"],
  [{ phase: "handedOver", ...served }, "handed over"],
])("a plan %j reads %s", (plan, text) => {
  expect(phaseText({ plan, stages: 4, ramp: null })).toBe(text);
});

const ramp: Ramp = { startBp: undefined, ...RAMP_PRESETS.standard };
const inRamp = { phase: "ramp", ...served, shareBp: 1_250, changedAtMs: 0, begunAtMs: 0 } as const;
const HALF_PAST_ONE_MS = 5_400_000;

test.each<[PlanState, string]>([
  [inRamp, "ramp at 12.5 %"],
  [{ ...inRamp, begunAtMs: null }, "ramp at 12.5 %, waiting for every sidecar"],
  [{ phase: "holdback", ...served, begunAtMs: HALF_PAST_ONE_MS }, "holdback at 95 %, 5 % stay on stable until 02:00 UTC"],
  [{ phase: "holdback", ...served, begunAtMs: null }, "holdback at 95 %, 5 % stay on stable, waiting for every sidecar"],
])("a plan %j with a ramp reads %s", (plan, text) => {
  expect(phaseText({ plan, stages: 0, ramp })).toBe(text);
});

test("a holdback whose ramp is not known is called one", () => {
  expect(phaseText({ plan: { phase: "holdback", ...served, begunAtMs: 0 }, ...planShape(undefined) })).toBe("holdback");
});

const said: VerdictRecord = {
  verdict: "advance",
  reason: "no worse",
  proven: "",
  odds: 0.5,
  alpha: 0.01,
  inputs: "",
  safeShareBp: 2_000,
  checks: [],
  unended: { stable: 0, canary: 0 },
  atMs: 1_000,
  sinceMs: 0,
  run: 3,
  runSample: 100,
};

test.each<[Partial<VerdictRecord> | null, { shareBp?: number; begunAtMs?: null }, string | null]>([
  [null, {}, "next when outcomes of run 3 are judged"],
  [{ run: 2 }, {}, "next when outcomes of run 3 are judged"],
  [{ odds: 3 }, {}, "next when the odds of harm are below 3 : 1"],
  [{ verdict: "hold" }, {}, "next when nothing holds it: no worse"],
  [{}, {}, "next when this share has lasted 10 s"],
  [{ safeShareBp: 1_400 }, {}, "next when the evidence calls 15 % safe, or by the clock"],
  [{ safeShareBp: 4_900 }, { shareBp: 4_500 }, "next when the evidence calls 50 % safe, or by the clock"],
  [{}, { shareBp: 5_000 }, "next when it is proven for everybody"],
  [{ safeShareBp: 10_000 }, { shareBp: 5_000 }, "next at 00:05 UTC, when its shortest time is over"],
  [{}, { shareBp: 1_250, begunAtMs: null }, null],
])("of a verdict %j a ramp %j waits for: %s", (verdict, change, text) => {
  const plan: PlanState = { ...inRamp, ...change };
  expect(nextText(plan, ramp, verdict === null ? null : { ...said, ...verdict })).toBe(text);
});

test("a canary that is silent for ten minutes is called so, with its last outcome", () => {
  expect(silenceText(inRamp, said, 600_000)).toBe("no outcome of the canary for 10 min");
  expect(silenceText(inRamp, { ...said, canaryAtMs: 60_000 }, 600_000)).toBe(null);
  expect(silenceText(inRamp, null, 599_999)).toBe(null);
});

test("a shadow that is silent is called so, with what may be missing", () => {
  const plan: PlanState = { phase: "shadow", ...served };
  expect(phaseText({ plan, ...planShape(undefined) })).toBe("shadow, nobody gets the new version and its answers to copies are compared");
  expect(silenceText(plan, null, plan.sinceMs + 600_000)).toBe(
    "no answer of the shadow for 10 min: does Envoy's configuration name its cluster where it says SHADOWS?",
  );
});

test("status shows a freeze first, and what a rollout waits for", () => {
  const rollout = {
    ...{ name: "cart", stages: 2, ramp: null, strategy: undefined, next: null, shareBp: 0, updatedAtMs: 0, judge: null },
    ...{ failingUsers: null, mix: null, blastRadius: null, template: null, report: null, lastAction: null },
    ...{ stragglers: [], stragglerRule: null, stops: [] },
  };
  const held = { sinceMs: 5_000, reason: "window: closed by the calendar; opens mon 2026-11-30 09:00 Europe/Berlin" };
  const picture: Picture = {
    ...{ leader: { holder: "a", term: 3, ageMs: 5 }, sidecars: [], orders: [], freeze: "frozen by ann (incident 12)" },
    rollouts: [
      { ...rollout, plan: { phase: "pending", ...served, held }, seen: null, waiting: { planSequence: 9, sinceMs: 0, who: "ben" } },
      { ...rollout, plan: { phase: "promoted", ...served, overdue: true }, seen: "version is 1.0, and not 2.0", waiting: null },
      {
        ...{ ...rollout, seen: null, waiting: null, mode: "observe" },
        plan: { ...inRamp, would: { action: "rollback", reason: "errors 3 % on canary", atMs: 4_000 } },
        asked: { verb: "resume", who: { name: "ann", claimed: false }, reason: "disk mended", atMs: 3_000 },
      },
    ],
  };
  const lines = statusText(picture, 10_000).split("\n");
  expect(lines[0]).toBe("frozen by ann (incident 12): nothing advances, what goes back still does; `serin unfreeze` ends it");
  expect(lines).toContain("  held for 5 s by window: closed by the calendar; opens mon 2026-11-30 09:00 Europe/Berlin");
  expect(lines).toContain("  a newer version by ben waits for its end, for 10 s");
  expect(lines).toContain("  no hand-over yet: version is 1.0, and not 2.0");
  expect(lines).toContain("  mode observe: evidence is told and moves nothing");
  expect(lines).toContain("  would have done 6 s ago: rollback: errors 3 % on canary");
  expect(lines).toContain("  last asked 7 s ago by ann: resume: disk mended");
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
    lower: null,
    stableSample: 9_000,
    canarySample: 900,
  } as const;
  const picture: Picture = {
    leader: null,
    freeze: null,
    orders: [
      { format: 1, scope: { rollout: "checkout" }, off: true, atMs: 140_000, who: "ann", reason: "wrong prices" },
      { format: 1, scope: { segment: "staff" }, off: true, atMs: 195_000, who: "ben" },
    ],
    sidecars: [
      { id: "s1", heard: true, state: "stale", isCurrent: false, problem: null, obeys: null, heardAtMs: null, labels: {} },
      { id: "s2", heard: false, state: null, isCurrent: false, problem: null, obeys: null, heardAtMs: null, labels: {} },
    ],
    rollouts: [
      {
        name: "checkout",
        plan: { phase: "stage", ...served, stage: 0, begunAtMs: 0 },
        stages: 4,
        ramp: null,
        next: null,
        stragglers: [],
        stops: [{ sidecar: "s1", run: 3, atMs: 190_000 }],
        stragglerRule: { after: 120_000, action: "wait" },
        shareBp: 500,
        updatedAtMs: 0,
        template: null,
        report: null,
        lastAction: null,
        seen: null,
        blastRadius: null,
        waiting: null,
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
            checks: [
              check,
              { ...check, name: "queue length", isRatio: false, stable: 12.345, canary: 1_234.5, upper: 0.25, threshold: 2, odds: 1 },
              { ...check, name: "smoke tests", isRatio: false, stable: null, canary: null, threshold: 0, odds: 1 },
            ],
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
      "switched off: checkout, by ann (wrong prices), for 1 min",
      "switched off: all rollouts, users of segment staff, by ben, for 5 s",
      "",
      "checkout: stage 1 of 4, for 3 min 20 s",
      "  share set 5 %, seen 4.87 %, run 3",
      "  the canary is stopped by sidecars that saw it fail: s1 (for 10 s)",
      "  stable 9000 requests, 9 failed, 2 open; canary 900 requests, 11 failed, 19 open, 12 for more than 2 s",
      "  users that failed: stable 3, 1 newly; canary about 1500, 1490 newly",
      "  failing requests by the 2 known to fail before: stable 7 of 9; canary 12 of 3000",
      "  verdict hold, safe share 0 %: too close to tell",
      "  check         stable  canary  at most worse by  tolerated  odds of harm",
      "  errors        0.10 %  1.20 %  –                 0.50 %     12.3 : 1",
      "  queue length  12.3    1230    0.25              2          –",
      "  smoke tests   –       –       –                 –          –",
      "",
    ].join("\n"),
  );
});

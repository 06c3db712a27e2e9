import { describe, expect, test } from "vitest";
import type { Rollout } from "../../../../src/contract/rollout.ts";
import type { VerdictRecord } from "../../../../src/contract/verdict.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import { verdictEvent } from "../../../../src/core/plan/types.ts";
import {
  calm,
  type EventName,
  events,
  rampRollout,
  rampStates,
  rampStepOf,
  rollout,
  SINCE_MS,
  states,
  summary,
} from "../../../support/plan-inputs.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

type Row = readonly [state: keyof typeof rampStates, event: EventName, afterMs: number, expected: string];

const each = (rows: readonly Row[]): void => {
  test.each(rows)("%s on %s after %d ms: %s", (state, event, afterMs, expected) => {
    expect(summary(rampStepOf(rampStates[state], events[event], afterMs))).toBe(expected);
  });
};

const back = "rollingBack, run 8; serve 0 off as run 8; rollback";

describe("a ramp begins", () => {
  test("with the share that the file says", () => {
    expect(summary(rampStepOf(states.pending, events.confirmed))).toBe("ramp, run 8; serve 100 as run 8; ramp");
  });

  test("or with what the budget allows at the traffic that is known", () => {
    const auto: Rollout = { ...rampRollout, strategy: { type: "canary", ramp: "auto" } };
    const began = plan(auto, states.pending, { ...events.confirmed, requestsPerSecond: 500 }, { nowMs: SINCE_MS });
    expect(summary(began)).toBe("ramp, run 8; serve 26 as run 8; ramp");
  });

  test("when its first share is served everywhere: its time counts from there", () => {
    expect(rampStepOf(rampStates.unbegun, events.confirmed, 5_000)).toMatchObject({
      state: { sinceMs: SINCE_MS + 5_000, changedAtMs: SINCE_MS + 5_000, begunAtMs: SINCE_MS + 5_000 },
    });
    const later = { ...rampStates.unbegun, changedAtMs: SINCE_MS + 1 };
    expect(rampStepOf(later, events.confirmed, 5_000)).toMatchObject({
      state: { sinceMs: SINCE_MS, changedAtMs: SINCE_MS + 1, begunAtMs: SINCE_MS + 5_000 },
    });
  });
});

describe("a ramp", () => {
  each([
    ["ramp", "confirmed", 0, "ramp, run 7"],
    ["unbegun", "confirmed", 0, "ramp, run 7; begun"],
    ["unbegun", "missing", 0, "ramp, run 7"],
    ["ramp", "tick", 0, "ramp, run 7"],
    ["ramp", "advance", 9_999, "ramp, run 7"],
    ["ramp", "advance", 10_000, "ramp, run 8; serve 5000 as run 8; ramp"],
    ["unbegun", "advance", 60 * MINUTE, "ramp, run 7"],
    ["ramp", "hold", 10_000, "ramp, run 7"],
    ["ramp", "unknown", 10_000, "ramp, run 7"],
    ["ramp", "rollback", 0, back],
    ["unbegun", "rollback", 0, back],
    ["atCap", "advance", 5 * MINUTE - 1, "ramp, run 7"],
    ["atCap", "advance", 5 * MINUTE, "holdback, run 8; serve 9500 as run 8; holdback"],
    ["ramp", "abort", 0, back],
    ["ramp", "pause", 0, "paused 0, run 7; paused"],
    ["ramp", "promote", 0, "holdback, run 8; serve 9500 as run 8; holdback"],
    ["ramp", "promoteFull", 0, "promoting, run 8; serve 10000 as run 8; promoting"],
    ["ramp", "resume", 0, "refused: checkout is in its ramp, at 20%: nothing is paused; promote would move it on"],
    ["ramp", "handover", 0, "refused: checkout is in its ramp, at 20%: hand-over follows promotion; wait for that, or promote --full"],
  ]);

  test("goes back to 10 % in doubt, also before everyone has confirmed, and says how great the doubt is", () => {
    const doubtful = { ...events.advance, odds: 5.25 };
    expect(rampStepOf(rampStates.unbegun, doubtful)).toMatchObject({
      state: { phase: "ramp", run: 8, shareBp: 1_000, sinceMs: SINCE_MS, begunAtMs: null },
      effects: [
        { type: "serve", shareBp: 1_000 },
        { action: "ramp", reason: "10%: odds of harm are 5.3 : 1, and 100 : 1 would be a rollback" },
      ],
    });
  });

  test("grows as a run of its own that waits for its receipts, and says why", () => {
    expect(rampStepOf(rampStates.ramp, events.advance, 10_000)).toMatchObject({
      state: { phase: "ramp", run: 8, firstRun: 5, shareBp: 5_000, sinceMs: SINCE_MS, changedAtMs: SINCE_MS + 10_000, begunAtMs: null },
      effects: [{ type: "serve" }, { action: "ramp", reason: "50%: fine" }],
    });
  });

  test("always has a reason", () => {
    const silent = { ...events.advance, reason: " " };
    expect(rampStepOf(rampStates.ramp, silent, 10_000)).toMatchObject({ effects: [{}, { reason: "50%: verdict" }] });
    expect(rampStepOf(rampStates.ramp, { ...silent, verdict: "rollback" })).toMatchObject({ state: { reason: "verdict" } });
  });
});

describe("a holdback", () => {
  each([
    ["holdbackUnbegun", "confirmed", 0, "holdback, run 7; begun"],
    ["holdbackUnbegun", "missing", 0, "holdback, run 7"],
    ["holdback", "confirmed", 0, "holdback, run 7"],
    ["holdback", "tick", 0, "holdback, run 7"],
    ["holdback", "advance", 30 * MINUTE - 1, "holdback, run 7"],
    ["holdback", "advance", 30 * MINUTE, "promoting, run 8; serve 10000 as run 8; promoting"],
    ["holdbackUnbegun", "advance", 30 * MINUTE, "holdback, run 7"],
    ["holdback", "hold", 30 * MINUTE, "holdback, run 7"],
    ["holdback", "unknown", 30 * MINUTE, "holdback, run 7"],
    ["holdback", "rollback", 0, back],
    ["holdback", "abort", 0, back],
    ["holdback", "pause", 0, "paused 1, run 7; paused"],
    ["holdback", "promote", 0, "promoting, run 8; serve 10000 as run 8; promoting"],
    ["holdback", "promoteFull", 0, "promoting, run 8; serve 10000 as run 8; promoting"],
    ["holdback", "resume", 0, "refused: checkout is in its holdback: nothing is paused; promote would move it on"],
    ["holdback", "tick", 30 * MINUTE + DAY - 1, "holdback, run 7"],
    ["holdback", "tick", 30 * MINUTE + DAY, "paused 1, run 7; paused"],
  ]);

  test("goes back to 10 % of a ramp that begins anew in more doubt, and no freeze holds that", () => {
    const doubtful = { ...events.hold, odds: 5 };
    expect(rampStepOf(rampStates.holdback, doubtful, MINUTE)).toMatchObject({
      state: {
        phase: "ramp",
        run: 8,
        firstRun: 5,
        shareBp: 1_000,
        sinceMs: SINCE_MS + MINUTE,
        changedAtMs: SINCE_MS + MINUTE,
        begunAtMs: null,
      },
      effects: [{ type: "serve", shareBp: 1_000 }, { reason: "10%: odds of harm are 5.0 : 1, and 100 : 1 would be a rollback" }],
    });
    expect(rampStepOf(rampStates.holdback, doubtful, MINUTE)).not.toMatchObject({ effects: [{ advances: true }, {}] });
    expect(summary(rampStepOf(rampStates.holdback, { ...events.hold, odds: 4.99 }, MINUTE))).toBe("holdback, run 7");
  });

  test("does not end in doubt", () => {
    expect(summary(rampStepOf(rampStates.holdback, { ...events.advance, odds: 3 }, 30 * MINUTE))).toBe("holdback, run 7");
  });

  test("says at its deadline what did not pass", () => {
    expect(rampStepOf(rampStates.holdback, events.tick, 2 * DAY)).toMatchObject({
      state: { reason: "deadline: the holdback did not pass within 1d beyond its time" },
    });
  });
});

describe("a paused ramp", () => {
  each([
    ["paused", "resume", 5, "ramp, run 7; resumed"],
    ["paused", "promote", 0, "holdback, run 8; serve 9500 as run 8; holdback"],
    ["paused", "promoteFull", 0, "promoting, run 8; serve 10000 as run 8; promoting"],
    ["pausedAtHoldback", "resume", 0, "holdback, run 7; resumed"],
    ["pausedAtHoldback", "promote", 0, "promoting, run 8; serve 10000 as run 8; promoting"],
    ["pausedAtFull", "resume", 0, "promoting, run 7; resumed"],
    ["pausedAtFull", "promote", 0, "promoting, run 7; resumed"],
    ["promoting", "pause", 0, "paused 2, run 7; paused"],
  ]);

  test("keeps its share, and begins anew with it", () => {
    expect(rampStepOf(rampStates.ramp, events.pause)).toMatchObject({ state: { stage: 0, shareBp: 2_000 } });
    const afterMs = SINCE_MS + 5_000;
    expect(rampStepOf(rampStates.paused, events.resume, 5_000)).toEqual({
      ok: true,
      state: { phase: "ramp", run: 7, firstRun: 5, sinceMs: afterMs, shareBp: 2_000, changedAtMs: afterMs, begunAtMs: null },
      effects: [{ type: "audit", action: "resumed", reason: "the ramp goes on" }],
    });
  });
});

describe("a ramp without proof waits for a person after its longest time", () => {
  test.each([
    { state: "atCap", last: { reason: "safe up to 80 %" }, why: "safe up to 80 %" },
    { state: "atCap", last: null, why: "no verdict" },
    { state: "atCap", last: undefined, why: "no verdict" },
    { state: "unbegun", last: { reason: "safe up to 80 %" }, why: "not every known sidecar obeys run 7" },
  ] as const)("$state: $why", ({ state, last, why }) => {
    const tick = { type: "tick", ...(last === undefined ? {} : { last }) } as const;
    expect(rampStepOf(rampStates[state], tick, 60 * MINUTE - 1)).toEqual({ ok: true, state: rampStates[state], effects: [] });
    expect(rampStepOf(rampStates[state], tick, 60 * MINUTE)).toMatchObject({
      state: { phase: "paused", stage: 0, shareBp: rampStates[state].shareBp, reason: `not proven safe for everybody within 1h: ${why}` },
    });
  });
});

test("a plan that has lost its ramp goes by the standard one", () => {
  expect(summary(plan(rollout, rampStates.atCap, events.advance, { nowMs: SINCE_MS + 5 * MINUTE }))).toMatch(/^stage 1, /);
  expect(summary(plan(rollout, rampStates.ramp, events.tick, { nowMs: SINCE_MS + 60 * MINUTE }))).toMatch(/^paused 0, /);
  expect(summary(plan(rollout, rampStates.holdback, events.advance, { nowMs: SINCE_MS + 30 * MINUTE }))).toMatch(/^promoting, /);
});

describe("a silent canary", () => {
  const asked = (known: Rollout): Rollout => ({ ...known, checks: { ...known.checks, onNoData: "rollback" } });
  const LIMIT_MS = 10 * MINUTE;
  test.each([
    { title: "in a ramp", known: rampRollout, state: rampStates.ramp, sinceMs: 0 },
    { title: "in a holdback", known: rampRollout, state: rampStates.holdback, sinceMs: 0 },
    { title: "in a stage", known: rollout, state: states.stage, sinceMs: 10_000 },
  ])("goes back after 10 minutes $title, where the checks say so", ({ known, state, sinceMs }) => {
    const at = (afterMs: number, canaryAtMs?: number): string => {
      const last = { reason: "", ...(canaryAtMs === undefined ? {} : { canaryAtMs }) };
      return summary(plan(asked(known), state, { type: "tick", last }, { nowMs: SINCE_MS + afterMs }));
    };
    expect(at(sinceMs + LIMIT_MS - 1)).not.toBe(back);
    expect(at(sinceMs + LIMIT_MS)).toBe(back);
    expect(at(sinceMs + LIMIT_MS, SINCE_MS + sinceMs + 1)).not.toBe(back);
    expect(at(sinceMs + LIMIT_MS + 1, SINCE_MS + sinceMs + 1)).toBe(back);
    expect(summary(plan(known, state, events.tick, { nowMs: SINCE_MS + sinceMs + LIMIT_MS }))).not.toBe(back);
  });

  test("is no reason before everyone has confirmed, nor where no share is served", () => {
    for (const state of [rampStates.unbegun, rampStates.holdbackUnbegun, rampStates.paused, rampStates.promoting, states.pending]) {
      expect(summary(plan(asked(rampRollout), state, events.tick, { nowMs: SINCE_MS + LIMIT_MS }))).not.toContain("no outcome");
      expect(plan(asked(rampRollout), state, events.tick, { nowMs: SINCE_MS + LIMIT_MS - 1 })).toEqual({ ok: true, state, effects: [] });
    }
  });

  test("is said in the reason", () => {
    expect(plan(asked(rampRollout), rampStates.ramp, events.tick, { nowMs: SINCE_MS + LIMIT_MS })).toMatchObject({
      state: { reason: "no outcome of the canary for 10m, and onNoData says rollback" },
    });
  });
});

test("the plan hears of a record what moves it", () => {
  const record: VerdictRecord = {
    verdict: "hold",
    reason: "wait",
    proven: "",
    ...calm,
    safeShareBp: 500,
    checks: [],
    unended: { stable: 0, canary: 0 },
    atMs: 5,
    sinceMs: 1,
    run: 3,
    runSample: 12,
    rate: 40,
    inputs: "",
  };
  const heard = { type: "verdict", verdict: "hold", reason: "wait", ...calm, safeShareBp: 500, runSample: 12 };
  expect(verdictEvent(record)).toEqual({ ...heard, requestsPerSecond: 40, isFit: false, hanging: 0 });
});

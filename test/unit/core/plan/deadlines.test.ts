import { describe, expect, test } from "vitest";
import { DEADLINES, durationText } from "../../../../src/core/plan/deadlines.ts";
import { planWith } from "../../../../src/core/plan/plan.ts";
import { events, rollout, SINCE_MS, type StateName, states, stepOf, summary } from "../../../support/plan-inputs.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

describe("every phase that is no end has a deadline", () => {
  test.each([
    { state: "pending", limitMs: 10 * MINUTE, to: "rollingBack, run 8; serve 0 off as run 8; rollback" },
    { state: "stage", limitMs: DAY + MINUTE, to: "paused 1, run 7; paused" },
    { state: "unbegun", limitMs: DAY + MINUTE, to: "paused 1, run 7; paused" },
    { state: "paused", limitMs: 7 * DAY, to: "rollingBack, run 8; serve 0 off as run 8; rollback" },
    { state: "promoting", limitMs: 10 * MINUTE, to: "paused 3, run 7; paused" },
    { state: "promoted", limitMs: 7 * DAY, to: "promoted, run 7; overdue" },
    { state: "rollingBack", limitMs: 35_000, to: "rolledBack, run 7; rolledBack" },
  ] as const)("$state after $limitMs ms: $to", ({ state, limitMs, to }) => {
    const before = stepOf(states[state], events.tick, limitMs - 1);
    expect(before).toEqual({ ok: true, state: states[state], effects: [] });
    expect(summary(stepOf(states[state], events.tick, limitMs))).toBe(to);
  });

  test.each([
    ["pending", "deadline: not every known sidecar confirmed the rules within 10m"],
    ["stage", "deadline: the stage did not pass within 1d beyond its minimum time"],
    ["paused", "deadline: paused for 7d without a decision (lunch)"],
    ["promoting", "deadline: not every known sidecar confirmed 100% within 10m"],
  ] as const)("%s says: %s", (state, reason) => {
    expect(stepOf(states[state], events.tick, 8 * DAY)).toMatchObject({ state: { reason } });
  });

  test("a promoted rollout is called overdue once", () => {
    expect(stepOf(states.promoted, events.tick, 7 * DAY)).toMatchObject({
      state: { overdue: true, sinceMs: SINCE_MS },
      effects: [{ type: "audit", action: "overdue", reason: "deadline: promoted for 7d without hand-over" }],
    });
    expect(stepOf(states.overdue, events.tick, 8 * DAY)).toEqual({ ok: true, state: states.overdue, effects: [] });
  });

  test.each(["rolledBack", "handedOver"] as const)("%s stays for ever", (state: StateName) => {
    expect(stepOf(states[state], events.tick, 10_000 * DAY)).toEqual({ ok: true, state: states[state], effects: [] });
  });

  test("others can be set, one by one", () => {
    const quick = planWith({ pendingMs: 5 });
    expect(summary(quick(rollout, states.pending, events.tick, { nowMs: SINCE_MS + 5 }))).toMatch(/^rollingBack/);
    expect(summary(quick(rollout, states.promoting, events.tick, { nowMs: SINCE_MS + DEADLINES.promotingMs - 1 }))).toBe(
      "promoting, run 7",
    );
  });
});

test("a wait for the first confirmations names for whom, once it is longer than usual", () => {
  const missing = ["s1"];
  const seen = { ...states.pending, missing };
  expect(stepOf(states.pending, { type: "receipts", missing }, 999)).toEqual({ ok: true, state: states.pending, effects: [] });
  expect(stepOf(states.pending, { type: "receipts", missing }, 1_000)).toEqual({ ok: true, state: seen, effects: [] });
  const again = stepOf(seen, { type: "receipts", missing }, 2_000);
  expect(again.ok && again.state).toBe(seen);
});

describe("the way back names who has not confirmed it", () => {
  const unknown = "nobody knows what is served there; a sidecar that hears nothing for 30s sends its shares to stable (errors)";
  test("who is missing is remembered, and written down only when it changes", () => {
    const seen = stepOf(states.rollingBack, { type: "receipts", missing: ["s2", "s1"] });
    expect(seen).toEqual({ ok: true, state: { ...states.rollingBack, missing: ["s2", "s1"] }, effects: [] });
    const again = stepOf(states.rollingBackWithout, { type: "receipts", missing: ["s2", "s1"] });
    expect(again).toEqual({ ok: true, state: states.rollingBackWithout, effects: [] });
    const other = stepOf(states.rollingBackWithout, { type: "receipts", missing: ["s3", "s1"] });
    expect(other).toMatchObject({ state: { missing: ["s3", "s1"] } });
  });

  test("stragglers are named at the deadline", () => {
    expect(stepOf(states.rollingBackWithout, events.tick, 35_000)).toEqual({
      ok: true,
      state: { phase: "rolledBack", run: 7, firstRun: 5, sinceMs: SINCE_MS + 35_000, reason: "errors", stragglers: ["s1", "s2"] },
      effects: [{ type: "audit", action: "rolledBack", reason: `deadline: 35s went by without a word from s1, s2: ${unknown}` }],
    });
  });

  test("without any word from the fleet nobody can be named", () => {
    expect(stepOf(states.rollingBack, events.tick, 35_000)).toMatchObject({
      state: { stragglers: [] },
      effects: [{ reason: `deadline: 35s went by without a word from the last sidecars: ${unknown}` }],
    });
  });

  test("a straggler that confirms later is taken off the list, and nobody is put on it", () => {
    const step = stepOf(states.rolledBack, { type: "receipts", missing: ["s2", "s9"] });
    expect(step).toMatchObject({ ok: true, state: { ...states.rolledBack, stragglers: ["s2"] }, effects: [{ action: "confirmed" }] });
    const same = stepOf(states.rolledBack, { type: "receipts", missing: ["s1", "s2", "s9"] });
    expect(same).toEqual({ ok: true, state: states.rolledBack, effects: [] });
  });
});

test.each([
  [35_000, "35s"],
  [600_000, "10m"],
  [5_400_000, "90m"],
  [86_400_000, "1d"],
  [1_500, "1500ms"],
  [0, "0ms"],
])("%d ms read as %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

import { describe, expect, test } from "vitest";
import { startPlan } from "../../../../src/core/plan/start.ts";
import { type EventName, events, type StateName, states, stepOf, summary } from "../../../support/plan-inputs.ts";

type Row = readonly [state: StateName, event: EventName, expected: string];

const each = (rows: readonly Row[]): void => {
  test.each(rows)("%s on %s: %s", (state, event, expected) => {
    expect(summary(stepOf(states[state], events[event]))).toBe(expected);
  });
};

test("a rollout begins pending: its rules go out, and no share", () => {
  expect(startPlan(1_000, 5)).toEqual({
    ok: true,
    state: { phase: "pending", run: 5, firstRun: 5, sinceMs: 1_000 },
    effects: [
      { type: "serve", run: 5, shareBp: 0, off: false },
      { type: "audit", action: "pending", reason: "waiting for every known sidecar to confirm the rules" },
    ],
  });
});

describe("a pending rollout", () => {
  each([
    ["pending", "confirmed", "stage 0, run 8; serve 500 as run 8; stage"],
    ["pending", "missing", "pending, run 7"],
    ["pending", "tick", "pending, run 7"],
    ["pending", "advance", "pending, run 7"],
    ["pending", "rollback", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["pending", "abort", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    [
      "pending",
      "promote",
      "refused: checkout is pending: no share is served before every known sidecar has confirmed; wait for that, or abort",
    ],
    [
      "pending",
      "pause",
      "refused: checkout is pending: no share is served before every known sidecar has confirmed; wait for that, or abort",
    ],
    ["pending", "resume", "refused: checkout is pending: nothing is paused; it goes on by itself when every known sidecar has confirmed"],
    ["pending", "handover", "refused: checkout is pending: hand-over follows promotion; wait for that, or abort"],
  ]);
});

describe("a rollout in a stage", () => {
  each([
    ["unbegun", "confirmed", "stage 1, run 7; begun"],
    ["unbegun", "missing", "stage 1, run 7"],
    ["stage", "confirmed", "stage 1, run 7"],
    ["stage", "tick", "stage 1, run 7"],
    ["stage", "hold", "stage 1, run 7"],
    ["stage", "unknown", "stage 1, run 7"],
    ["stage", "rollback", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["unbegun", "rollback", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["stage", "abort", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["stage", "pause", "paused 1, run 7; paused"],
    ["stage", "promote", "stage 2, run 8; serve 5000 as run 8; stage"],
    ["lastStage", "promote", "promoting, run 8; serve 10000 as run 8; promoting"],
    ["stage", "promoteFull", "promoting, run 8; serve 10000 as run 8; promoting"],
    ["stage", "resume", "refused: checkout is in stage 2 of 3: nothing is paused; promote would move it on"],
    ["stage", "handover", "refused: checkout is in stage 2 of 3: hand-over follows promotion; wait for that, or promote --full"],
  ]);
});

describe("a paused rollout", () => {
  each([
    ["paused", "tick", "paused 1, run 7"],
    ["paused", "confirmed", "paused 1, run 7"],
    ["paused", "advance", "paused 1, run 7"],
    ["paused", "rollback", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["paused", "abort", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["paused", "resume", "stage 1, run 7; resumed"],
    ["pausedAtFull", "resume", "promoting, run 7; resumed"],
    ["paused", "promote", "stage 2, run 8; serve 5000 as run 8; stage"],
    ["paused", "promoteFull", "promoting, run 8; serve 10000 as run 8; promoting"],
    ["pausedAtFull", "promote", "promoting, run 7; resumed"],
    ["pausedAtFull", "promoteFull", "promoting, run 7; resumed"],
    ["paused", "pause", "refused: checkout is paused: it was paused before (lunch); resume, promote or abort"],
    ["paused", "handover", "refused: checkout is paused: hand-over follows promotion; resume, or promote --full"],
  ]);
});

describe("a rollout that is being promoted", () => {
  each([
    ["promoting", "confirmed", "promoted, run 7; promoted"],
    ["promoting", "missing", "promoting, run 7"],
    ["promoting", "tick", "promoting, run 7"],
    ["promoting", "advance", "promoting, run 7"],
    ["promoting", "rollback", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["promoting", "abort", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["promoting", "pause", "paused 3, run 7; paused"],
    ["promoting", "promote", "refused: checkout is being promoted: 100% is set and waits for the last sidecars; wait for that, or abort"],
    [
      "promoting",
      "resume",
      "refused: checkout is being promoted: nothing is paused; it goes on by itself when every known sidecar has confirmed",
    ],
    [
      "promoting",
      "handover",
      "refused: checkout is being promoted: not every known sidecar serves 100% yet; wait for that, then hand over",
    ],
  ]);
});

describe("a promoted rollout", () => {
  each([
    ["promoted", "tick", "promoted, run 7"],
    ["promoted", "missing", "promoted, run 7"],
    ["promoted", "advance", "promoted, run 7"],
    ["promoted", "rollback", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["overdue", "abort", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["promoted", "handover", "handedOver, run 7; remove; handedOver"],
    ["overdue", "handover", "handedOver, run 7; remove; handedOver"],
    ["promoted", "promote", "refused: checkout is promoted: 100% is served already; hand over when stable runs the new version, or abort"],
    [
      "promoted",
      "pause",
      "refused: checkout is promoted: no stage is left to wait in; hand over when stable runs the new version, or abort",
    ],
    [
      "promoted",
      "resume",
      "refused: checkout is promoted: no stage is left to wait in; hand over when stable runs the new version, or abort",
    ],
  ]);
});

describe("a rollout on its way back", () => {
  const refusal = "refused: checkout is being rolled back: the way back is not stopped half-way (errors); retry when it is over";
  each([
    ["rollingBack", "confirmed", "rolledBack, run 7; rolledBack"],
    ["rollingBack", "missing", "rollingBack, run 7"],
    ["rollingBack", "tick", "rollingBack, run 7"],
    ["rollingBack", "rollback", "rollingBack, run 7"],
    ["rollingBack", "advance", "rollingBack, run 7"],
    ["rollingBack", "abort", "rollingBack, run 7"],
    ["rollingBack", "promote", refusal],
    ["rollingBack", "pause", refusal],
    ["rollingBack", "resume", refusal],
    ["rollingBack", "handover", refusal],
  ]);
});

describe("an attempt that is over", () => {
  const again = "refused: checkout is rolled back: this attempt is over (errors); retry, or apply another";
  const gone = "refused: checkout is handed over: stable runs the new version and the rule rests; apply a rollout for the next change";
  each([
    ["rolledBack", "tick", "rolledBack, run 7"],
    ["rolledBack", "rollback", "rolledBack, run 7"],
    ["rolledBack", "confirmed", "rolledBack, run 7; confirmed"],
    ["rolledBack", "abort", again],
    ["rolledBack", "promote", again],
    ["rolledBack", "pause", again],
    ["rolledBack", "resume", again],
    ["rolledBack", "handover", again],
    ["handedOver", "tick", "handedOver, run 7"],
    ["handedOver", "missing", "handedOver, run 7"],
    ["handedOver", "rollback", "handedOver, run 7"],
    ["handedOver", "abort", gone],
    ["handedOver", "promote", gone],
    ["handedOver", "pause", gone],
    ["handedOver", "resume", gone],
    ["handedOver", "handover", gone],
  ]);
});

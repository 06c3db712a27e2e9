import { describe, expect, test } from "vitest";
import { stagesOf } from "../../../../src/contract/course.ts";
import type { PlanInput } from "../../../../src/core/plan/types.ts";
import { type EventName, events, type StrategyName, strategyStates, strategyStepOf, summary } from "../../../support/plan-inputs.ts";

type Row = readonly [state: keyof typeof strategyStates, event: EventName, expected: string];

const MINUTE = 60_000;
const DAY = 86_400_000;
const BACK = "rollingBack, run 8; serve 0 off as run 8; rollback";
const FULL = "promoting, run 8; serve 10000 as run 8; promoting";

const each = (name: StrategyName, rows: readonly Row[], afterMs = 0): void => {
  test.each(rows)("%s on %s: %s", (state, event, expected) => {
    expect(summary(strategyStepOf(name, strategyStates[state], events[event], afterMs))).toBe(expected);
  });
};

const reasonOf = (name: StrategyName, state: keyof typeof strategyStates, event: PlanInput, afterMs = 0): string => {
  const step = strategyStepOf(name, strategyStates[state], event, afterMs);
  return step.ok ? step.effects.flatMap((effect) => (effect.type === "audit" ? [effect.reason] : [])).join() : step.refusal;
};

describe("blue-green: the preview", () => {
  each("byHand", [
    ["pending", "confirmed", "preview, run 7; preview"],
    ["preview", "confirmed", "preview, run 7"],
    ["preview", "tick", "preview, run 7"],
    ["preview", "advance", "preview, run 7"],
    ["preview", "rollback", BACK],
    ["preview", "promote", FULL],
    ["preview", "promoteFull", FULL],
    ["preview", "abort", BACK],
    ["preview", "pause", "paused 0, run 7; paused"],
    ["preview", "resume", "refused: checkout is in its preview: nothing is paused; promote would move it on"],
    ["preview", "handover", "refused: checkout is in its preview: hand-over follows promotion; wait for that, or promote --full"],
    ["pausedPreview", "resume", "preview, run 7; resumed"],
    ["pausedPreview", "promote", FULL],
    ["pausedAtFull", "resume", "promoting, run 7; resumed"],
    ["promoted", "abort", BACK],
  ]);

  test("by hand it waits for a person, and goes back when nobody came for 7 days", () => {
    expect(summary(strategyStepOf("byHand", strategyStates.preview, events.tick, 7 * DAY - 1))).toBe("preview, run 7");
    expect(reasonOf("byHand", "preview", events.tick, 7 * DAY)).toBe("deadline: in its preview for 7d without a decision");
  });

  test("by order of the plan everyone gets the new version when its time is over, and the audit says whose order that is", () => {
    expect(summary(strategyStepOf("byOrder", strategyStates.preview, events.tick, 10 * MINUTE - 1))).toBe("preview, run 7");
    expect(summary(strategyStepOf("byOrder", strategyStates.preview, events.advance, 10 * MINUTE))).toBe("preview, run 7");
    expect(summary(strategyStepOf("byOrder", strategyStates.preview, events.tick, 10 * MINUTE))).toBe(FULL);
    expect(reasonOf("byOrder", "preview", events.tick, 10 * MINUTE)).toBe(
      "by order of the plan, 10m after every known sidecar confirmed it",
    );
  });

  test("a verdict that holds stops that order, and a person decides after a day", () => {
    const held: PlanInput = { type: "tick", last: { reason: "errors are in doubt", verdict: "hold" } };
    expect(summary(strategyStepOf("byOrder", strategyStates.preview, held, DAY))).toBe("preview, run 7");
    expect(reasonOf("byOrder", "preview", held, DAY + 10 * MINUTE)).toBe(
      "deadline: the preview did not pass within 1d beyond its time: errors are in doubt",
    );
  });

  test.each([
    { title: "passes when all users are safe", event: events.advance, afterMs: MINUTE, to: FULL },
    { title: "not before its shortest time", event: events.advance, afterMs: MINUTE - 1, to: "preview, run 7" },
    { title: "not on fewer outcomes", event: { ...events.advance, runSample: 99 }, afterMs: MINUTE, to: "preview, run 7" },
    { title: "not while less is safe", event: { ...events.advance, safeShareBp: 9_999 }, afterMs: MINUTE, to: "preview, run 7" },
    { title: "not on another verdict", event: events.hold, afterMs: MINUTE, to: "preview, run 7" },
    { title: "never by the clock", event: events.tick, afterMs: DAY, to: "preview, run 7" },
    { title: "pauses at its deadline", event: events.tick, afterMs: DAY + MINUTE, to: "paused 0, run 7; paused" },
  ])("by verdict it $title", ({ event, afterMs, to }) => {
    expect(summary(strategyStepOf("onVerdict", strategyStates.preview, event, afterMs))).toBe(to);
  });

  test("stable is kept warm for the time that is set; then hand-over is overdue", () => {
    expect(summary(strategyStepOf("byOrder", strategyStates.promoted, events.tick, 60 * MINUTE - 1))).toBe("promoted, run 7");
    expect(reasonOf("byOrder", "promoted", events.tick, 60 * MINUTE)).toBe(
      "deadline: promoted for 1h without hand-over, as long as stable was to be kept warm",
    );
  });
});

describe("a test of variants", () => {
  each("test", [
    ["pending", "confirmed", "trial, run 8; serve 3000 as run 8; trial"],
    ["trialUnbegun", "missing", "trial, run 7"],
    ["trialUnbegun", "confirmed", "trial, run 7; begun"],
    ["trial", "confirmed", "trial, run 7"],
    ["trial", "advance", "trial, run 7"],
    ["trial", "hold", "trial, run 7"],
    ["trial", "rollback", BACK],
    ["trial", "abort", BACK],
    ["trial", "promote", "decision, run 7; decision"],
    ["trial", "promoteFull", FULL],
    [
      "trial",
      "pause",
      "refused: checkout is in its test: its shares do not move, so nothing is paused; promote ends the test early, abort takes everyone back",
    ],
    [
      "trial",
      "resume",
      "refused: checkout is in its test: its shares do not move, so nothing is paused; promote ends the test early, abort takes everyone back",
    ],
    ["trial", "handover", "refused: checkout is in its test: hand-over follows promotion; end the test with promote first"],
    ["decision", "confirmed", "decision, run 7"],
    ["decision", "tick", "decision, run 7"],
    ["decision", "advance", "decision, run 7"],
    ["decision", "rollback", BACK],
    ["decision", "abort", BACK],
    ["decision", "promote", FULL],
    ["decision", "pause", "refused: checkout is tested, and waits for a decision: it waits already; promote or abort"],
    ["decision", "resume", "refused: checkout is tested, and waits for a decision: it waits already; promote or abort"],
    ["decision", "handover", "refused: checkout is tested, and waits for a decision: hand-over follows promotion; promote first"],
  ]);

  test("says which variant has which share when it begins", () => {
    expect(reasonOf("test", "pending", events.confirmed)).toBe("20% on b, 30% on canary: every known sidecar confirmed the rules");
  });

  test.each([
    { state: "trial", afterMs: 14 * DAY - 1, to: "trial, run 7" },
    { state: "trial", afterMs: 14 * DAY, to: "decision, run 7; decision" },
    { state: "trialUnbegun", afterMs: 15 * DAY - 1, to: "trial, run 7" },
    { state: "trialUnbegun", afterMs: 15 * DAY, to: "decision, run 7; decision" },
    { state: "decision", afterMs: 7 * DAY, to: BACK },
  ] as const)("$state after $afterMs ms: $to", ({ state, afterMs, to }) => {
    expect(summary(strategyStepOf("test", strategyStates[state], events.tick, afterMs))).toBe(to);
  });

  test("ends at stable where its plan says so", () => {
    expect(summary(strategyStepOf("testThenStable", strategyStates.trial, events.tick, 60 * MINUTE))).toBe(BACK);
  });
});

describe("a toggle", () => {
  each("toggle", [
    ["pending", "confirmed", "on, run 8; serve 2000 as run 8; on"],
    ["onUnbegun", "missing", "on, run 7"],
    ["onUnbegun", "confirmed", "on, run 7; begun"],
    ["on", "confirmed", "on, run 7"],
    ["on", "advance", "on, run 7"],
    ["on", "rollback", BACK],
    ["on", "abort", BACK],
    ["on", "handover", "handedOver, run 7; remove; handedOver"],
    ["on", "promote", "refused: checkout is on: a toggle stays at the share of its file; apply another share after abort"],
    ["on", "pause", "refused: checkout is on: nothing goes on by itself, so nothing is paused; abort switches it off"],
    ["on", "resume", "refused: checkout is on: nothing goes on by itself, so nothing is paused; abort switches it off"],
  ]);

  test("is stale after the time that its file says, once, and stays on", () => {
    expect(summary(strategyStepOf("toggle", strategyStates.on, events.tick, 7 * DAY - 1))).toBe("on, run 7");
    expect(summary(strategyStepOf("toggle", strategyStates.on, events.tick, 7 * DAY))).toBe("on, run 7; overdue");
    expect(summary(strategyStepOf("toggle", strategyStates.stale, events.tick, 700 * DAY))).toBe("on, run 7");
  });
});

describe("groups of sidecars", () => {
  const groups = ["a", "b", "c"];
  each(
    "rolling",
    [
      ["pending", "confirmed", "pending, run 7"],
      ["groupUnbegun", "missing", "group, run 7"],
      ["groupUnbegun", "confirmed", "group, run 7; begun"],
      ["groupUnbegun", "advance", "group, run 7"],
      ["firstGroup", "confirmed", "group, run 7"],
      ["firstGroup", "tick", "group, run 7"],
      ["firstGroup", "hold", "group, run 7"],
      ["firstGroup", "advance", "group, run 8; serve 10000 as run 8; group"],
      ["secondGroup", "advance", FULL],
      ["onlyGroup", "advance", FULL],
      ["firstGroup", "rollback", BACK],
      ["secondGroup", "rollback", "paused 0, run 8; serve 10000 as run 8; paused"],
      ["firstGroup", "promote", "group, run 8; serve 10000 as run 8; group"],
      ["firstGroup", "promoteFull", FULL],
      ["firstGroup", "pause", "paused 0, run 7; paused"],
      ["pausedGroup", "resume", "group, run 7; resumed"],
      ["pausedGroup", "promote", "group, run 8; serve 10000 as run 8; group"],
      ["pausedGroup", "rollback", BACK],
    ],
    MINUTE,
  );
  each(
    "rollingHalf",
    [
      ["secondGroup", "advance", "group, run 8; serve 5000 as run 8; group"],
      ["lastGroup", "advance", FULL],
      ["secondGroup", "rollback", BACK],
    ],
    MINUTE,
  );

  test("the first is on when every sidecar has the rules, and waits for one with the label until then", () => {
    expect(strategyStepOf("rolling", strategyStates.pending, { ...events.confirmed, groups })).toMatchObject({
      state: { phase: "group", groups, group: 0 },
      effects: [
        { shareBp: 10_000, advances: true },
        { action: "group", reason: "zone a, group 1 of 3: every known sidecar confirmed the rules" },
      ],
    });
    expect(strategyStepOf("rolling", strategyStates.pending, { ...events.confirmed, groups: [] })).toMatchObject({
      state: { missing: ["a sidecar with the label zone"] },
    });
  });

  test.each([
    { title: "less time", afterMs: MINUTE - 1, change: {} },
    { title: "fewer outcomes", afterMs: MINUTE, change: { runSample: 99 } },
    { title: "less that is safe: two of three groups are 66.67% of the users", afterMs: MINUTE, change: { safeShareBp: 6_666 } },
  ])("the next does not come on $title", ({ afterMs, change }) => {
    const step = strategyStepOf("rolling", strategyStates.firstGroup, { ...events.advance, ...change }, afterMs);
    expect(summary(step)).toBe("group, run 7");
  });

  test("an unhealthy one goes back alone, and evidence begins anew for those that stay", () => {
    expect(strategyStepOf("rolling", strategyStates.secondGroup, events.rollback)).toMatchObject({
      state: { phase: "paused", run: 8, firstRun: 8, groups, group: 0, reason: "zone b, group 2 of 3 went back to stable: errors" },
    });
  });

  test("sidecars of a group that nobody knew come last", () => {
    const step = strategyStepOf("rolling", strategyStates.firstGroup, { ...events.missing, groups: ["a", "d"] });
    expect(step).toMatchObject({ state: { groups: ["a", "b", "c", "d"], group: 0 }, effects: [] });
  });

  test("at its deadline it pauses", () => {
    expect(reasonOf("rolling", "firstGroup", events.tick, DAY + MINUTE)).toBe(
      "deadline: the group did not pass within 1d beyond its minimum time",
    );
  });
});

test("a template that nobody looked up is as careful as can be", () => {
  expect(stagesOf({ use: "unknown" })).toEqual(stagesOf({ use: "careful" }));
});

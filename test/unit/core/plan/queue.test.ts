import { describe, expect, test } from "vitest";
import type { PlanState } from "../../../../src/contract/live.ts";
import { plan } from "../../../../src/core/plan/plan.ts";
import { queuePlan } from "../../../../src/core/plan/queue.ts";
import type { Hold, PlanEvent } from "../../../../src/core/plan/types.ts";
import { events, rollout, SINCE_MS, summary } from "../../../support/plan-inputs.ts";

const queued: PlanState = { phase: "queued", run: 4, firstRun: 5, sinceMs: SINCE_MS, reason: "number 1 in the queue" };
const second: Hold = { kind: "order", reason: "number 2 in the queue" };
const step = (event: PlanEvent, holds: readonly Hold[] = [second]) => plan(rollout, queued, event, { nowMs: SINCE_MS + 10, holds });

test("a rollout in the queue serves nothing, and its first run is to come", () => {
  expect(queuePlan(SINCE_MS, 5, "number 1 in the queue")).toEqual({
    ok: true,
    state: queued,
    effects: [{ type: "audit", action: "queued", reason: "number 1 in the queue" }],
  });
});

describe("a queued rollout", () => {
  test("begins when it is its turn, with its first run", () => {
    const begun = step(events.tick, []);
    expect([begun.ok && begun.state.firstRun, summary(begun)]).toEqual([5, "pending, run 5; serve 0 as run 5; pending"]);
  });

  test.each<[string, readonly Hold[], string]>([
    ["another is before it", [second], "queued, run 4"],
    ["everything is frozen", [{ kind: "freeze", reason: "frozen by ann" }], "queued, run 4"],
    [
      "its window is closed, in which it only may not advance",
      [{ kind: "window", reason: "closed" }],
      "pending, run 5; serve 0 as run 5; pending",
    ],
  ])("where %s: stands at %s", (_, holds, expected) => {
    expect(summary(step(events.tick, holds))).toBe(expected);
  });

  test("that is an undo begins in a freeze, as one: a way back is held by nothing", () => {
    const { state } = queuePlan(SINCE_MS, 5, "number 1 in the queue", true);
    const holds = [{ kind: "freeze", reason: "frozen by ann" }] as const;
    expect(plan(rollout, state, events.tick, { nowMs: SINCE_MS, holds })).toMatchObject({ state: { phase: "pending", atOnce: true } });
    expect(plan(rollout, state, events.tick, { nowMs: SINCE_MS, holds: [second] })).toMatchObject({ state: { phase: "queued" } });
  });

  test("tells its place anew", () => {
    expect(step(events.tick)).toMatchObject({ state: { reason: "number 2 in the queue" } });
  });

  test.each<[PlanEvent, string]>([
    [events.confirmed, "queued, run 4"],
    [events.rollback, "queued, run 4"],
    [events.abort, "rolledBack, run 4; rolledBack"],
    [events.promote, "refused: checkout is queued: number 1 in the queue; wait for that, or abort"],
    [events.pause, "refused: checkout is queued: number 1 in the queue; wait for that, or abort"],
    [events.handover, "refused: checkout is queued: number 1 in the queue; wait for that, or abort"],
  ])("on %j: %s", (event, expected) => {
    expect(summary(step(event))).toBe(expected);
  });

  test("taken out says why", () => {
    expect(step(events.abort)).toMatchObject({ state: { reason: "wrong build", stragglers: [] } });
  });
});

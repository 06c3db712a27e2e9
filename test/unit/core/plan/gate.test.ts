import { describe, expect, test } from "vitest";
import { type PlanState, PlanStateSchema } from "../../../../src/contract/live.ts";
import { type Rollout, type RolloutInput, RolloutSchema } from "../../../../src/contract/rollout.ts";
import { type Moment, plan } from "../../../../src/core/plan/plan.ts";
import type { PlanInput, PlanStep } from "../../../../src/core/plan/types.ts";
import { events, SINCE_MS, states, summary } from "../../../support/plan-inputs.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ASKED_MS = SINCE_MS + 70_000;

const approvers = ["ann", "bob"];
const input: RolloutInput = {
  apiVersion: "serin/v1",
  kind: "Rollout",
  name: "checkout",
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "v1" }, canary: { cluster: "v2" } },
  strategy: {
    type: "canary",
    stages: [
      { share: "5%", minTime: "60s", minSample: 100 },
      { share: "25%", minTime: "60s", minSample: 100, gate: { approvers, limit: "2h" } },
      { share: "50%", minTime: "60s", minSample: 100 },
    ],
  },
};
const gated = RolloutSchema.parse(input);
const atLimit = (outcome: "promote" | "pause"): Rollout =>
  RolloutSchema.parse({ ...input, strategy: { type: "canary", stages: [{ share: "5%", gate: { limit: "2h", atLimit: outcome } }] } });
const promotion = RolloutSchema.parse({ ...input, strategy: { use: "standard" }, promotion: { gate: {} } });
const carol = { name: "carol", claimed: true };

/** What the machine makes of it so long after the gate asked. */
const at = (known: Rollout, state: PlanState, event: PlanInput, moment: Partial<Moment> = {}): PlanStep =>
  plan(known, state, event, { nowMs: ASKED_MS, ...moment });

function stateAfter(step: PlanStep): PlanState {
  if (!step.ok) throw new Error(step.refusal);
  return step.state;
}

/** The second stage, when it has earned the third. */
const waiting = stateAfter(at(gated, states.stage, events.advance));

describe("a stage with a gate", () => {
  test("that has earned its next step asks for it, and serves what it did", () => {
    expect(at(gated, states.stage, events.advance)).toEqual({
      ok: true,
      state: {
        phase: "gate",
        run: 7,
        firstRun: 5,
        sinceMs: ASKED_MS,
        gate: "stage",
        asks: { approvers, limitMs: 2 * HOUR, atLimit: "abort" },
        from: states.stage,
        to: {
          state: { phase: "stage", run: 8, firstRun: 5, sinceMs: ASKED_MS, stage: 2, begunAtMs: null },
          shareBp: 5_000,
          action: "stage",
          reason: "stage 3 of 3: fine",
          atMs: ASKED_MS,
        },
      },
      effects: [{ type: "audit", action: "gate", reason: "asks before it goes on: stage 3 of 3: fine" }],
    });
    expect(PlanStateSchema.parse(waiting)).toEqual(waiting);
  });

  test("asks nothing before another step", () => {
    expect(summary(at(gated, states.lastStage, events.advance))).toBe("promoting, run 8; serve 10000 as run 8; promoting");
  });

  test("is passed by an approver, and the next stage begins then", () => {
    const step = at(gated, waiting, { ...events.promote, reason: "looked at it" }, { nowMs: ASKED_MS + HOUR });
    expect(step).toEqual({
      ok: true,
      state: { phase: "stage", run: 8, firstRun: 5, sinceMs: ASKED_MS + HOUR, stage: 2, begunAtMs: null },
      effects: [
        { type: "serve", run: 8, shareBp: 5_000, off: false, advances: true },
        { type: "audit", action: "stage", reason: "passed by the operator: looked at it; stage 3 of 3: fine" },
      ],
    });
  });

  test.each([
    ["is passed by nobody else", waiting, { ...events.promote, who: carol }],
    ["is gone round by nobody else", states.stage, { ...events.promote, who: carol }],
    ["is gone round by nobody else on the way to everyone", { ...states.stage, stage: 0 }, { ...events.promoteFull, who: carol }],
    ["is gone round by nobody else out of a pause", states.paused, { ...events.promote, who: carol }],
  ] as const)("%s", (_, state: PlanState, event: PlanInput) => {
    const step = at(gated, state, event);
    expect(step).toMatchObject({ ok: false, refusal: expect.stringMatching(/: its gate takes the word of ann, bob, not of carol$/) });
  });

  test("believes no name that only its bearer vouches for where others can be vouched for", () => {
    const refusal =
      "checkout is at its gate: its gate takes the word of ann, bob, and nothing vouches for ann; sign by --sign-with, or use a link";
    expect(at(gated, waiting, events.promote, { mustVouch: true })).toEqual({ ok: false, refusal });
    const vouched = { ...events.promote, who: { name: "ann", claimed: false } };
    expect(summary(at(gated, waiting, vouched, { mustVouch: true }))).toMatch(/^stage 2, run 8/);
  });

  test.each([
    ["a rollback verdict", events.rollback, "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["an abort", { ...events.abort, who: carol }, "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["an undo", events.undo, "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["a pause", events.pause, "paused 1, run 7; paused"],
    ["full promotion", events.promoteFull, "promoting, run 8; serve 10000 as run 8; promoting"],
    ["a verdict that would go on", events.advance, "gate, run 7"],
    ["a verdict that holds", events.hold, "gate, run 7"],
    ["receipts", events.confirmed, "gate, run 7"],
    ["the clock", events.tick, "gate, run 7"],
    ["resume", events.resume, "refused: checkout is at its gate: nothing is paused; promote passes the gate, abort goes back"],
    [
      "handover",
      events.handover,
      "refused: checkout is at its gate: hand-over follows promotion; promote passes the gate, abort goes back",
    ],
    ["retry", events.retry, "refused: checkout is at its gate: this attempt is not over; abort it first, then retry"],
  ] as const)("meets %s while it waits", (_, event: PlanInput, expected) => {
    expect(summary(at(gated, waiting, event))).toBe(expected);
  });

  test("is not passed while something holds the rollout, and its time stands still", () => {
    const holds = [{ kind: "freeze", reason: "quarter end" }] as const;
    expect(summary(at(gated, waiting, events.promote, { holds }))).toMatch(/^refused: .*held by freeze: quarter end/);
    expect(summary(at(gated, waiting, { type: "answer", verdict: "advance", reason: "" }, { holds }))).toBe("gate, run 7");
    const held = stateAfter(at(gated, waiting, events.tick, { holds }));
    const released = stateAfter(at(gated, held, events.tick, { nowMs: ASKED_MS + DAY }));
    expect(released).toMatchObject({ phase: "gate", sinceMs: ASKED_MS + DAY });
    expect(stateAfter(at(gated, released, events.promote, { nowMs: ASKED_MS + DAY + 5 }))).toMatchObject({ sinceMs: ASKED_MS + DAY + 5 });
  });
});

describe("at its limit a gate", () => {
  const asked = (outcome: "promote" | "pause") => {
    const known = atLimit(outcome);
    const state = stateAfter(at(known, { ...states.stage, stage: 0, begunAtMs: 0 }, { ...events.advance, runSample: 10_000 }));
    return (event: PlanInput, afterMs: number): string => summary(at(known, state, event, { nowMs: ASKED_MS + afterMs }));
  };
  const said = (verdict: "advance" | "hold"): PlanInput => ({ type: "tick", last: { reason: "why", verdict } });

  test("goes back, where nothing else is declared", () => {
    expect(summary(at(gated, waiting, events.tick, { nowMs: ASKED_MS + 2 * HOUR - 1 }))).toBe("gate, run 7");
    expect(at(gated, waiting, events.tick, { nowMs: ASKED_MS + 2 * HOUR })).toMatchObject({
      state: { phase: "rollingBack", reason: "deadline: nobody passed the gate within 2h" },
    });
  });

  test("pauses", () => {
    expect(asked("pause")(events.tick, 2 * HOUR)).toBe("paused 0, run 7; paused");
  });

  test("goes on while the evidence still says so, and waits a day for that", () => {
    const tick = asked("promote");
    expect([tick(said("advance"), 2 * HOUR - 1), tick(said("hold"), 2 * HOUR), tick(events.tick, 2 * HOUR)]).toEqual(
      Array.from({ length: 3 }, () => "gate, run 7"),
    );
    expect(tick(said("advance"), 2 * HOUR)).toBe("promoting, run 8; serve 10000 as run 8; promoting");
    expect(tick(said("hold"), 2 * HOUR + DAY)).toBe("paused 0, run 7; paused");
  });
});

describe("the webhook of a gate", () => {
  test.each([
    ["advance", "stage 2, run 8; serve 5000 as run 8; stage"],
    ["rollback", "rollingBack, run 8; serve 0 off as run 8; rollback"],
    ["hold", "gate, run 7"],
    ["unknown", "gate, run 7"],
  ] as const)("that answers %s leads to: %s", (verdict, expected) => {
    expect(summary(at(gated, waiting, { type: "answer", verdict, reason: "says so" }))).toBe(expected);
  });

  test("is quoted while the rollout waits, and written down only when it says something else", () => {
    const said = stateAfter(at(gated, waiting, { type: "answer", verdict: "hold", reason: "queue is long" }));
    expect(said).toEqual({ ...waiting, said: "queue is long" });
    expect(stateAfter(at(gated, said, { type: "answer", verdict: "hold", reason: "queue is long" }))).toBe(said);
  });

  test("moves nothing where no gate waits", () => {
    expect(summary(at(gated, states.stage, { type: "answer", verdict: "rollback", reason: "late" }))).toBe("stage 1, run 7");
  });
});

test("the promotion's gate asks before 100 %, whatever step leads there", () => {
  const last = { ...states.stage, stage: 3, begunAtMs: 0 };
  const step = at(promotion, last, { ...events.advance, runSample: 10_000 });
  expect(step).toMatchObject({ state: { phase: "gate", gate: "promotion", asks: { limitMs: DAY, atLimit: "abort" } } });
  expect(summary(at(promotion, stateAfter(step), { ...events.promote, who: carol }))).toMatch(/^promoting, run 8/);
});

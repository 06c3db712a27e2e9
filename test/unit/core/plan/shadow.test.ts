import { describe, expect, test } from "vitest";
import { plan } from "../../../../src/core/plan/plan.ts";
import type { PlanInput } from "../../../../src/core/plan/types.ts";
import {
  type EventName,
  events,
  SINCE_MS,
  type StrategyName,
  strategies,
  strategyStates,
  strategyStepOf,
  summary,
} from "../../../support/plan-inputs.ts";

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

describe("a shadow", () => {
  const STAGE = "stage 0, run 8; serve 500 as run 8; stage";
  each(
    "mirror",
    [
      ["pending", "confirmed", "shadow, run 7; shadow"],
      ["shadow", "confirmed", "shadow, run 7"],
      ["shadow", "tick", "shadow, run 7"],
      ["shadow", "hold", "shadow, run 7"],
      ["shadow", "advance", STAGE],
      ["shadow", "rollback", BACK],
      ["shadow", "promote", STAGE],
      ["shadow", "promoteFull", FULL],
      ["shadow", "pause", "paused 0, run 7; paused"],
      ["pausedShadow", "resume", "shadow, run 7; resumed"],
      ["pausedShadow", "promote", STAGE],
    ],
    MINUTE,
  );
  each("mirrorRamp", [["shadow", "advance", "ramp, run 8; serve 100 as run 8; ramp"]], MINUTE);

  test.each([
    { title: "less time", afterMs: MINUTE - 1, change: {} },
    { title: "fewer answers", afterMs: MINUTE, change: { runSample: 99 } },
    { title: "evidence for fewer users", afterMs: MINUTE, change: { safeShareBp: 499 } },
  ])("is followed by no canary on $title", ({ afterMs, change }) => {
    const step = strategyStepOf("mirror", strategyStates.shadow, { ...events.advance, ...change }, afterMs);
    expect(summary(step)).toBe("shadow, run 7");
  });

  test("that is silent for ten minutes goes back where onNoData says so", () => {
    const rollout = { ...strategies.mirror, checks: { ...strategies.mirror.checks, onNoData: "rollback" as const } };
    const step = plan(rollout, strategyStates.shadow, events.tick, { nowMs: SINCE_MS + 10 * MINUTE });
    expect(step.ok && step.effects.at(-1)).toMatchObject({ reason: expect.stringMatching(/^no answer of the shadow for 10m, /) });
  });

  test("the canary's evidence begins anew", () => {
    expect(strategyStepOf("mirror", strategyStates.shadow, events.advance, MINUTE)).toMatchObject({ state: { run: 8, firstRun: 8 } });
  });

  test("it does so for everybody too, also out of a pause and at a gate", () => {
    const advised = { ...strategies.mirror, mode: "advise" as const };
    const asked = plan(advised, strategyStates.shadow, events.advance, { nowMs: SINCE_MS + MINUTE });
    const gate = asked.ok ? asked.state : strategyStates.shadow;
    expect(gate).toMatchObject({ phase: "gate", firstRun: 5 });
    for (const state of [strategyStates.shadow, strategyStates.pausedShadow, gate]) {
      const full = plan(advised, state, events.promoteFull, { nowMs: SINCE_MS + MINUTE });
      expect(full).toMatchObject({ state: { phase: "promoting", run: 8, firstRun: 8 } });
    }
  });

  test("pauses at its deadline, and says what was found last", () => {
    const late = DAY + MINUTE;
    expect(reasonOf("mirror", "shadow", { type: "tick", last: { reason: "too few answers" } }, late)).toMatch(/: too few answers$/);
    expect(reasonOf("mirror", "shadow", events.tick, late)).toMatch(/: no verdict$/);
  });
});

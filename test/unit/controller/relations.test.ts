import { expect, test } from "vitest";
import type { PlanState } from "../../../src/contract/live.ts";
import { Outbox } from "../../../src/controller/outbox.ts";
import { PolicyKeeper } from "../../../src/controller/policy-keeper.ts";
import { Relations } from "../../../src/controller/relations.ts";
import { newSeat } from "../../../src/controller/seats.ts";
import { plan } from "../../../src/core/plan/plan.ts";
import { liveOf, planState, rolloutOf } from "./builders.ts";
import { MemoryStore } from "./memory-store.ts";
import { partsOver } from "./parts.ts";

const stage = { phase: "stage", run: 3, firstRun: 1, sinceMs: 0, stage: 0, begunAtMs: 0 } as const;
const gate: PlanState = {
  phase: "gate",
  run: 3,
  firstRun: 1,
  sinceMs: 0,
  gate: "stage",
  asks: { limitMs: 1_000, atLimit: "promote" },
  from: stage,
  to: { state: { ...stage, stage: 1 }, shareBp: 5_000, action: "stage", reason: "fine", atMs: 0 },
};

const preview: PlanState = { phase: "preview", run: 2, firstRun: 2, sinceMs: 0 };

test("a step that endpoints hold is held until they are ready, not let go and held again at each tick", () => {
  const rollout = rolloutOf("cart", {
    strategy: { type: "blueGreen", preview: { promote: { after: "10m" } } },
    kubernetes: { namespace: "shop", services: { stable: "cart", canary: "cart-new" } },
  });
  let ready = 1;
  const kubernetes = { endpoints: () => ({ ready, all: 3 }), keep: () => undefined, stablePods: async () => [] };
  const parts = { ...partsOver(new MemoryStore()), kubernetes };
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const seats = new Map([["cart", newSeat(rollout, liveOf("cart", preview), 0)]]);
  const relations = new Relations(new PolicyKeeper(parts, new Outbox(parts)), seats, { ...parts, clock });
  let state: PlanState = preview;
  const seen: string[] = [];
  for (nowMs = 599_000; nowMs <= 602_000; nowMs += 500) {
    if (nowMs === 601_500) ready = 3;
    const seat = newSeat(rollout, liveOf("cart", state), 0);
    const step = plan(rollout, state, { type: "tick" }, { nowMs, holds: relations.holds(seat, { type: "tick" }, nowMs) });
    if (!step.ok) throw new Error(step.refusal);
    state = step.state;
    seen.push(`${nowMs} ${state.phase} ${"held" in state && state.held !== undefined ? `held since ${state.held.sinceMs}` : "free"}`);
  }
  expect(seen).toEqual([
    "599000 preview free",
    "599500 preview free",
    "600000 preview held since 600000",
    "600500 preview held since 600000",
    "601000 preview held since 600000",
    "601500 preview free",
    "602000 promoting free",
  ]);
});

test("what opens a gate of one rollout waits for the others of its group, whoever's word it is", () => {
  const parts = partsOver(new MemoryStore());
  const seats = new Map(
    Object.entries({ cart: gate, pay: planState("stage") }).map(([name, plan]) => {
      const rollout = rolloutOf(name, { together: "shop" });
      return [name, newSeat(rollout, liveOf(name, plan), 0)] as const;
    }),
  );
  const relations = new Relations(new PolicyKeeper(parts, new Outbox(parts)), seats, parts);
  const group = [{ kind: "group", reason: "group shop goes together, and pay cannot go on yet" }];
  const cart = seats.get("cart") ?? newSeat(rolloutOf("cart"), liveOf("cart", gate), 0);
  expect(relations.holds(cart, { type: "answer", verdict: "advance", reason: "the tests are green" }, 5)).toEqual(group);
  expect(relations.holds(cart, { type: "tick" }, 5)).toEqual(group);
});

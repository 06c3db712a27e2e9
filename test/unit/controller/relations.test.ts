import { expect, test } from "vitest";
import type { PlanState } from "../../../src/contract/live.ts";
import { Outbox } from "../../../src/controller/outbox.ts";
import { PolicyKeeper } from "../../../src/controller/policy-keeper.ts";
import { Relations } from "../../../src/controller/relations.ts";
import { newSeat } from "../../../src/controller/seats.ts";
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

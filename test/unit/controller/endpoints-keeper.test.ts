import { expect, test } from "vitest";
import type { PlanState } from "../../../src/contract/live.ts";
import { EndpointsKeeper } from "../../../src/controller/kubernetes/endpoints-keeper.ts";
import { liveOf, planState, rolloutOf } from "./builders.ts";

const rollout = rolloutOf("cart", {
  kubernetes: { namespace: "shop", services: { stable: "cart", canary: "cart-new" }, unready: { after: "10m", action: "rollback" } },
});
const MINUTE = 60_000;

/** A keeper whose endpoints are never ready, with the questions that Kubernetes was asked. */
function keeperOf() {
  const [asked, kept]: [string[], string[][]] = [[], []];
  const clock = { ms: 0 };
  const keeper = new EndpointsKeeper({
    clock: { nowMs: () => clock.ms, monotonicMs: () => clock.ms },
    kubernetes: {
      endpoints: (namespace, service) => {
        asked.push(`${namespace}/${service}`);
        return { ready: 0, all: 1 };
      },
      keep: (namespaces) => void kept.push([...namespaces]),
      stablePods: async () => [],
    },
  });
  const at = (ms: number, plan: PlanState) => {
    clock.ms = ms;
    keeper.tick([{ name: "cart", rollout, live: liveOf("cart", plan) }]);
    return { holds: keeper.holds({ rollout, plan }).length, alarm: keeper.alarm({ rollout, plan }) };
  };
  return { asked, kept, at };
}

test.each(["rolledBack", "handedOver", "queued"] as const)(
  "nobody asks for the endpoints of a rollout that is %s, or listens there",
  (phase) => {
    const { asked, kept, at } = keeperOf();
    expect(at(0, planState(phase))).toEqual({ holds: 0, alarm: undefined });
    expect([asked, kept]).toEqual([[], [[]]]);
  },
);

test.each(["queued", "paused"] as const)("the time that endpoints have begins anew after a rollout was %s", (phase) => {
  const { at } = keeperOf();
  const why = "the canary's endpoints are not ready for 10m: 0 of 1";
  at(0, planState("stage"));
  at(5 * MINUTE, planState(phase));
  expect(at(20 * MINUTE, planState("stage"))).toEqual({ holds: 1, alarm: undefined });
  expect(at(29 * MINUTE, planState("stage")).alarm).toBeUndefined();
  expect(at(30 * MINUTE, planState("stage")).alarm).toBe(why);
});

test("what is paused may be promoted only to endpoints that are ready, and is not sent back for them", () => {
  const { at } = keeperOf();
  at(0, planState("stage"));
  expect(at(20 * MINUTE, planState("paused"))).toEqual({ holds: 1, alarm: undefined });
});

import { expect, test } from "vitest";
import { gaugesOf } from "../../../src/controller/gauges.ts";
import { liveOf, planState } from "./builders.ts";

const shown = (rollouts: Parameters<typeof gaugesOf>[0]["rollouts"], isLeader: boolean) =>
  gaugesOf({ isLeader, rollouts, nowMs: 1_500 }).flatMap(({ descriptor, dataPoints }) =>
    dataPoints.map(({ attributes, value }) => [descriptor.name, attributes, value]),
  );

test("a leader shows each rollout's share, run and phase", () => {
  expect(shown([liveOf("cart", planState("stage"))], true)).toEqual([
    ["serin_controller_leader", {}, 1],
    ["serin_rollout_share_ratio", { rollout: "cart" }, 0.1],
    ["serin_rollout_run", { rollout: "cart" }, 3],
    ["serin_rollout_phase", { rollout: "cart", phase: "stage" }, 1],
  ]);
});

test("a standby shows that it does not lead", () => {
  expect(shown([], false)).toEqual([["serin_controller_leader", {}, 0]]);
});

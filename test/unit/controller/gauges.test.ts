import { expect, test } from "vitest";
import { gaugesOf } from "../../../src/controller/gauges.ts";
import { mixFigures } from "../../../src/core/judge/mix.ts";
import { COUNTRIES, groupsOf } from "../../support/mix-inputs.ts";
import { liveOf, planState } from "./builders.ts";

type Shown = Parameters<typeof gaugesOf>[0];
const shown = (rollouts: Shown["rollouts"], isLeader: boolean, failing: Shown["failing"] = [], mixes: Shown["mixes"] = []) =>
  gaugesOf({ isLeader, rollouts, failing, mixes, isFrozen: false, nowMs: 1_500 }).flatMap(({ descriptor, dataPoints }) =>
    dataPoints.map(({ attributes, value }) => [descriptor.name, attributes, value]),
  );

test("a leader shows each rollout's share, run and phase", () => {
  expect(shown([liveOf("cart", planState("stage"))], true)).toEqual([
    ["serin_controller_leader", {}, 1],
    ["serin_rollout_share_ratio", { rollout: "cart" }, 0.1],
    ["serin_rollout_run", { rollout: "cart" }, 3],
    ["serin_rollout_phase", { rollout: "cart", phase: "stage" }, 1],
    ["serin_rollout_stragglers", { rollout: "cart" }, 0],
    ["serin_rollout_stopped_by_sidecars", { rollout: "cart" }, 0],
    ["serin_rollout_handover_overdue", { rollout: "cart" }, 0],
    ["serin_frozen", {}, 0],
  ]);
});

test("a leader counts sidecars that lag, that are left behind, and that stopped the canary", () => {
  const waits = { ...planState("promoting"), missing: ["s1", "s2"], without: ["s3"] };
  const stops = [{ sidecar: "s1", run: 3, atMs: 0 }];
  expect(shown([liveOf("cart", waits, { stops })], true).slice(4, 6)).toEqual([
    ["serin_rollout_stragglers", { rollout: "cart" }, 3],
    ["serin_rollout_stopped_by_sidecars", { rollout: "cart" }, 1],
  ]);
});

test("a leader shows a freeze, and a hand-over that is overdue", () => {
  const rollouts = [liveOf("cart", { phase: "promoted", run: 3, firstRun: 1, sinceMs: 0, overdue: true })];
  const points = gaugesOf({ isLeader: true, rollouts, failing: [], mixes: [], isFrozen: true, nowMs: 1_500 });
  const valueOf = (name: string) => points.find(({ descriptor }) => descriptor.name === name)?.dataPoints.map(({ value }) => value);
  expect([valueOf("serin_frozen"), valueOf("serin_rollout_handover_overdue")]).toEqual([[1], [1]]);
});

test("a standby shows that it does not lead", () => {
  expect(shown([], false)).toEqual([["serin_controller_leader", {}, 0]]);
});

test("a leader shows the failing users of each rollout where some were seen", () => {
  const stable = { distinct: 3, newlyFailing: 1, requests: 40, knownRequests: 30, isExact: true };
  const canary = { distinct: 12, newlyFailing: 10, requests: 90, knownRequests: 20, isExact: true };
  const of = (variant: string) => ({ rollout: "cart", variant });
  expect(shown([], true, [{ rollout: "cart", users: { known: 5, stable, canary } }]).slice(2)).toEqual([
    ["serin_rollout_failing_users", of("stable"), 3],
    ["serin_rollout_failing_users", of("canary"), 12],
    ["serin_rollout_newly_failing_users", of("stable"), 1],
    ["serin_rollout_newly_failing_users", of("canary"), 10],
    ["serin_rollout_known_failing_requests", of("stable"), 30],
    ["serin_rollout_known_failing_requests", of("canary"), 20],
    ["serin_rollout_known_failing_users", { rollout: "cart" }, 5],
  ]);
});

test("a leader shows the mix of each rollout that asks for it, and which labels are skewed", () => {
  const groups = groupsOf({ "stable share": { SE: 10, DE: 190 }, "canary target staff": { SE: 40 } });
  const of = (value: string, who: string) => ({ rollout: "cart", label: "country", value, of: who });
  expect(shown([], true, [], [{ rollout: "cart", figures: mixFigures(COUNTRIES, groups, 3) }]).slice(2)).toEqual([
    ["serin_rollout_mix_users", of("SE", "canary"), 40],
    ["serin_rollout_mix_users", of("SE", "all"), 50],
    ["serin_rollout_mix_users", of("DE", "canary"), 0],
    ["serin_rollout_mix_users", of("DE", "all"), 190],
    ["serin_rollout_mix_users", of("other", "canary"), 0],
    ["serin_rollout_mix_users", of("other", "all"), 0],
    ["serin_rollout_mix_users", of("none", "canary"), 0],
    ["serin_rollout_mix_users", of("none", "all"), 0],
    ["serin_rollout_mix_skewed", { rollout: "cart", label: "country" }, 1],
  ]);
  const plain = mixFigures(COUNTRIES, groupsOf({ "stable share": { SE: 10, DE: 190 }, "canary share": { SE: 2, DE: 38 } }), 3);
  expect(shown([], true, [], [{ rollout: "cart", figures: plain }]).at(-1)?.[2]).toBe(0);
});

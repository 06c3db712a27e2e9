import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { SideCounts, Tick } from "../../bench/judging/suite/policy.ts";
import { parseSuite, readSuite, type Suite } from "../../bench/judging/suite/scenario.ts";
import { stageOf, World } from "../../bench/judging/suite/world.ts";

const suite = await readSuite(new URL("../../bench/judging/suite/scenarios.json", import.meta.url));

/** Every kind of disturbance in one scenario. */
const ALL_AT_ONCE: Suite["scenarios"][number] = {
  id: "all_at_once",
  title: "all at once",
  traffic: { rps: 80, drift: 1.5 },
  stable: { error_rate: 0.004, error_drift: 2, latency: [{ w: 1, median_ms: 80, sigma: 0.6 }] },
  canary: {
    error_rate: 0.006,
    latency: [
      { w: 0.9, median_ms: 80, sigma: 0.6 },
      { w: 0.1, median_ms: 300, sigma: 0.4 },
    ],
    latency_scale: 1.1,
    onset_s: 300,
    cold_start_s: 45,
    broken_users: { population: 500, share: 0.02 },
  },
  events: [{ start_s: 600, dur_s: 120, error_rate: 0.2, latency_scale: 1.5, heterogeneity: 0.2 }],
  blips: { per_hour: 20, dur_s: 20, error_rate: 0.1 },
  pod_bursts: { pods: 20, per_pod_hour: 2, dur_s: 15, error_rate: 0.3 },
  clusters: { per_second: 0.05, mean_errors: 10, dur_s: 60 },
  stuck: { users: 3, rps: 0.5 },
  buckets_ms: [10, 50, 100, 250, 1_000],
};

const WEIGHTS = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.95, 0, 1];

const scenarios = [...suite.scenarios, ALL_AT_ONCE];

/** History and an hour of rollout whose weight changes every 40 ticks. */
function ticksOf(id: string, seed: number): Tick[] {
  const scenario = scenarios.find((each) => each.id === id) ?? ALL_AT_ONCE;
  const stage = stageOf(suite, scenario);
  const world = World.beforeHistory(stage, seed);
  const history = world.history();
  const rollout = world.atStart();
  const weightAt = (index: number): number => WEIGHTS[Math.floor(index / 40) % WEIGHTS.length] ?? 0;
  return [...history, ...Array.from({ length: stage.horizonTicks }, (_, index) => rollout.next(weightAt(index)))];
}

const side = ({ n, errors, known_errors, failed_keys, new_failed_keys, hist }: SideCounts): number[] => [
  n,
  errors,
  known_errors,
  failed_keys,
  new_failed_keys,
  ...hist,
];

function digestOf(ticks: readonly Tick[]): string {
  const hash = createHash("sha256");
  for (const { t, sec, weight, stable, stable_split: halves, canary, truth } of ticks) {
    const scored = [truth.excessErr.toFixed(9), truth.excessSlow.toFixed(9), truth.harmed.toFixed(6)];
    hash.update(JSON.stringify([t, sec, weight, side(stable), ...halves.map(side), side(canary), ...scored]));
  }
  return hash.digest("hex").slice(0, 16);
}

describe("the benchmark's world is the same on every machine, and for ever", () => {
  test.each([
    { id: "aa_trickle", seed: 3, digest: "0473ab56b1af5b70" },
    { id: "aa_5000", seed: 1, digest: "f578ae51fa05128d" },
    { id: "aa_pods_500", seed: 2, digest: "47cb50b243164161" },
    { id: "aa_blips_500", seed: 2, digest: "25bbc009b92ebec7" },
    { id: "users_bad_500", seed: 7, digest: "d91c204de8e1d5f9" },
    { id: "aa_stuckuser_500", seed: 4, digest: "4842e077c6adc238" },
    { id: "tenants_broken_200", seed: 5, digest: "bcf9965189431d35" },
    { id: "lat_p99x2_50", seed: 6, digest: "75a155a4c736acb4" },
    { id: "aa_coldstart_500", seed: 1, digest: "6036098193075d12" },
    { id: "late_1200_500", seed: 9, digest: "785fc1e4cc0c1bda" },
    { id: "all_at_once", seed: 1, digest: "28243b024fff6fd4" },
    { id: "all_at_once", seed: 2, digest: "ede590df4cd4a9a0" },
  ])("$id with seed $seed", ({ id, seed, digest }) => {
    expect(digestOf(ticksOf(id, seed))).toBe(digest);
  });
});

test("the halves of stable sum to stable, and failing users never outnumber failures", () => {
  const ticks = ticksOf("all_at_once", 3);
  const sums = ticks.map(({ stable_split: [a, b] }) => side(a).map((count, index) => count + (side(b)[index] ?? 0)));
  expect(ticks.map(({ stable }) => side(stable))).toEqual(sums);
  const sides = ticks.flatMap(({ stable, canary }) => [stable, canary]);
  expect(sides.filter(({ errors, failed_keys, known_errors, n }) => failed_keys > errors || known_errors > errors || errors > n)).toEqual(
    [],
  );
});

test("a rollout begins in the same world whatever the judge, and only weights change it", () => {
  const world = World.beforeHistory(stageOf(suite, ALL_AT_ONCE), 5);
  world.history();
  const [first, second] = [world.atStart(), world.atStart()];
  const play = (rollout: World, weights: readonly number[]): Tick[] => weights.map((weight) => rollout.next(weight));
  expect(play(first, [0.1, 0.2, 0.3])).toEqual(play(second, [0.1, 0.2, 0.3]));
  expect(first.next(0.5)).not.toEqual(second.next(0.4));
});

test("a scenario with a field that nobody knows is refused", () => {
  const text = JSON.stringify({ ...suite, scenarios: [{ id: "x", title: "x", blip: {} }] });
  expect(() => parseSuite(text)).toThrow('Unrecognized key: \\"blip\\"');
});

test("more scenarios than the first ones are there to tune on, each with a name of its own", async () => {
  const more = await readSuite(new URL("../../bench/judging/suite/more-scenarios.json", import.meta.url));
  const ids = [...suite.scenarios, ...more.scenarios].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(more.scenarios.map(({ truth }) => truth ?? "good").filter((truth) => truth === "bad").length).toBeGreaterThan(25);
  expect({ ...more, scenarios: [] }).toEqual({ ...suite, scenarios: [] });
});

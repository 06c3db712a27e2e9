import { describe, expect, test } from "vitest";
import type { LiveState } from "../../../src/contract/live.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import type { VerdictRecord } from "../../../src/contract/verdict.ts";
import { isShown, rolloutGauges, type ShownRollout } from "../../../src/controller/gauges.ts";
import { startJudging } from "../../../src/controller/judging.ts";
import { mixFigures } from "../../../src/core/judge/mix.ts";
import { COUNTRIES, groupsOf } from "../../support/mix-inputs.ts";
import { liveOf, planState, rolloutOf } from "./builders.ts";

const NOW_MS = 90_000;

const shownOf = (live: LiveState, more: Partial<ShownRollout> = {}, file: Partial<RolloutInput> = {}): ShownRollout => ({
  name: live.rollout,
  rollout: rolloutOf(live.rollout, file),
  live,
  judging: startJudging(1, 0),
  users: undefined,
  mix: undefined,
  ...more,
});

/** Values of one rollout by metric; with their labels besides the rollout, where it has some. */
function gauges(each: ShownRollout, nowMs = NOW_MS): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const { name, values } of rolloutGauges([each], nowMs)) {
    for (const { attributes, value } of values) {
      const { rollout, ...labels } = attributes;
      expect(rollout).toBe(each.name);
      const key = [name, ...Object.values(labels)].join(" ");
      found[key.replace("serin_", "")] = value;
    }
  }
  return found;
}

const CHECK: VerdictRecord["checks"][number] = {
  name: "errors",
  verdict: "hold",
  weight: 0.5,
  stable: 0.01,
  canary: 0.04,
  difference: 0.03,
  lower: 0.01,
  upper: null,
  threshold: 0.0005,
  odds: 12,
  dispersion: 1,
  stableSample: 1_000,
  canarySample: 100,
};

const verdict: VerdictRecord = {
  verdict: "hold",
  reason: "errors",
  proven: "nothing",
  odds: 12,
  alpha: 0.01,
  safeShareBp: 2_500,
  checks: [CHECK, { ...CHECK, name: "slow p99", stable: null, canary: null, difference: null }],
  unended: { stable: 0, canary: 0 },
  atMs: 80_000,
  sinceMs: 0,
  run: 3,
  runSample: 100,
  canaryAtMs: 75_000,
  inputs: "x",
};

describe("a leader shows of a rollout", () => {
  test("what kind it is, where it stands, and its share", () => {
    expect(gauges(shownOf(liveOf("cart", planState("stage"))))).toEqual({
      "rollout_info stages act": 1,
      "rollout_phase stage": 1,
      rollout_phase_age_seconds: 90,
      rollout_held: 0,
      rollout_run: 3,
      rollout_stage: 1,
      rollout_stages: 1,
      rollout_share: 0.1,
      rollout_handover_overdue: 0,
      rollout_stragglers: 0,
      rollout_left_behind: 0,
      rollout_stopped_by_sidecars: 0,
    });
  });

  test.each([
    { strategy: { use: "fast" }, kind: "stages" },
    { strategy: { type: "canary", ramp: "auto" }, kind: "ramp" },
    { strategy: { type: "blueGreen" }, kind: "blueGreen" },
  ] as const)("the kind of its strategy: $kind", ({ strategy, kind }) => {
    expect(gauges(shownOf(liveOf("cart", planState("pending")), {}, { strategy }))).toMatchObject({ [`rollout_info ${kind} act`]: 1 });
  });

  test("that something holds it, and sidecars that lag, are left behind, or stopped the canary", () => {
    const plan = { ...planState("pending"), held: { sinceMs: 0, reason: "frozen" }, missing: ["s1", "s2"], without: ["s3"] };
    const live = liveOf("cart", plan as LiveState["plan"], { stops: [{ sidecar: "s1", run: 3, atMs: 0 }] });
    expect(gauges(shownOf(live))).toMatchObject({
      rollout_held: 1,
      rollout_stragglers: 2,
      rollout_left_behind: 1,
      rollout_stopped_by_sidecars: 1,
      rollout_stage: 0,
    });
  });

  test("a hand-over that is overdue", () => {
    const live = liveOf("cart", { phase: "promoted", run: 3, firstRun: 1, sinceMs: 0, overdue: true });
    expect(gauges(shownOf(live))).toMatchObject({ rollout_handover_overdue: 1 });
  });

  test("the verdict, and each check's value beside its threshold and the bounds of its interval; nothing of what has no data", () => {
    const shown = gauges(shownOf(liveOf("cart", planState("stage")), { judging: { ...startJudging(1, 0), verdict } }));
    expect(shown).toMatchObject({
      "rollout_verdict hold": 1,
      rollout_odds: 12,
      rollout_odds_threshold: 100,
      rollout_safe_share: 0.25,
      rollout_evidence_age_seconds: 15,
      "check_value errors": 0.03,
      "check_threshold errors": 0.0005,
      "check_lower errors": 0.01,
      "check_ratio errors stable": 0.01,
      "check_ratio errors canary": 0.04,
      "check_verdict errors hold": 1,
    });
    expect(Object.keys(shown).filter((name) => name.includes("upper") || name.includes("p99"))).toEqual([]);
  });

  test.each([
    { phase: "rolledBack", hourLater: false },
    { phase: "handedOver", hourLater: false },
    { phase: "rollingBack", hourLater: true },
    { phase: "promoted", hourLater: true },
  ] as const)("of which $phase is an end or not, something for an hour after that: $hourLater", ({ phase, hourLater }) => {
    const each = { live: liveOf("cart", planState(phase)) };
    expect([isShown(each, 3_599_999), isShown(each, 3_600_000)]).toEqual([true, hourLater]);
  });

  test("and longer where a sidecar has not confirmed the way back", () => {
    const { plan } = liveOf("cart", planState("rolledBack"));
    if (plan.phase !== "rolledBack") throw new Error("this test needs one that is rolled back");
    expect(isShown({ live: liveOf("cart", { ...plan, stragglers: ["cut-off"] }) }, 3_600_000)).toBe(true);
  });

  test("what it may cost and has cost, where it has such a limit", () => {
    const { tally, ...judging } = startJudging(1, 0);
    const totals = {
      ...tally.totals,
      stable: { decided: 0, settled: 0, requests: 1_000, failed: 10 },
      canary: { decided: 0, settled: 0, requests: 100, failed: 9 },
    };
    const each = { judging: { ...judging, tally: { ...tally, totals, seen: { run: 3, canary: 1, all: 8, elsewhere: 0 } } } };
    expect(gauges(shownOf(liveOf("cart", planState("stage")), each, { blastRadius: { failedRequests: 20 } }))).toMatchObject({
      "rollout_blast_radius_spent failedRequests": 8,
      "rollout_blast_radius_allowed failedRequests": 20,
      rollout_share_seen: 0.125,
    });
  });

  test("its failing users, where some were seen", () => {
    const stable = { distinct: 3, newlyFailing: 1, requests: 40, knownRequests: 30, isExact: true };
    const canary = { distinct: 12, newlyFailing: 10, requests: 90, knownRequests: 20, isExact: true };
    expect(gauges(shownOf(liveOf("cart", planState("stage")), { users: { known: 5, stable, canary } }))).toMatchObject({
      "rollout_failing_users stable": 3,
      "rollout_failing_users canary": 12,
      "rollout_newly_failing_users canary": 10,
      "rollout_known_failing_requests stable": 30,
      rollout_known_failing_users: 5,
    });
  });

  test("its mix, where it asks for it, and which labels are skewed", () => {
    const groups = groupsOf({ "stable share": { SE: 10, DE: 190 }, "canary target staff": { SE: 40 } });
    const live = liveOf("cart", planState("stage"));
    expect(gauges(shownOf(live, { mix: mixFigures(COUNTRIES, groups, 3) }))).toMatchObject({
      "rollout_mix_users country SE canary": 40,
      "rollout_mix_users country SE all": 50,
      "rollout_mix_users country DE canary": 0,
      "rollout_mix_skewed country": 1,
    });
    const plain = mixFigures(COUNTRIES, groupsOf({ "stable share": { SE: 10, DE: 190 }, "canary share": { SE: 2, DE: 38 } }), 3);
    expect(gauges(shownOf(live, { mix: plain }))).toMatchObject({ "rollout_mix_skewed country": 0 });
  });
});

test("a thousand rollouts come in parts, so that requests of others are answered between them", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => shownOf(liveOf(`r${index}`, planState("stage"))));
  const parts = [...rolloutGauges(many, NOW_MS)].filter(({ name }) => name === "serin_rollout_share");
  expect([parts.length, Math.max(...parts.map(({ values }) => values.length))]).toEqual([20, 50]);
});

import { describe, expect, test, vi } from "vitest";
import { LATENCY_BOUNDS_MS } from "../../../src/contract/names.ts";
import type { LiveRule } from "../../../src/contract/rules.ts";
import { compile } from "../../../src/core/decide/compile.ts";
import { staticRulesOf } from "../../../src/core/decide/rollout-rules.ts";
import { createCells } from "../../../src/sidecar/cells.ts";
import { createShadowCounter } from "../../../src/sidecar/shadow-stats.ts";
import type { EnvoyGrowth } from "../../../src/sidecar/wire/envoy-counters.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { strategies } from "../../support/plan-inputs.ts";

const { mirror } = strategies;
const LIVE: LiveRule = { run: 4, shareBp: 0, off: false, whenUnwatched: "stable", copies: "only" };
const latency = (at: number, count: number): number[] =>
  Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, (_, index) => (index === at ? count : 0));
const timed = (name: string, change: object = {}) => ({
  ...{ name, isDelta: true, sum: 70, bounds: [...LATENCY_BOUNDS_MS], counts: latency(3, 10) },
  ...change,
});

const rulesOf = (live: Readonly<Record<string, Partial<LiveRule>>>) =>
  compile(
    ruleSetOf(Object.fromEntries(Object.entries(live).map(([name, rule]) => [name, ruleOf(staticRulesOf(mirror), { ...LIVE, ...rule })]))),
  );

const NOTHING: EnvoyGrowth = { counters: [], histograms: [] };

/** What is counted of statistics while these rollouts have these live rules, some time after an Envoy told anything first. */
function counted(growth: Partial<EnvoyGrowth>, live: Readonly<Record<string, Partial<LiveRule>>> = { checkout: {} }, afterMs = 5_001) {
  const rules = rulesOf(live);
  const cells = createCells({ nowMs: () => 5, runInForce: () => 4 });
  const surprises: string[] = [];
  let nowMs = 0;
  const count = createShadowCounter({ rules: () => rules, cells, nowMs: () => nowMs, surprise: (kind) => surprises.push(kind) });
  count(NOTHING);
  nowMs = afterMs;
  count({ ...NOTHING, ...growth });
  const told = [...cells.all()].map(({ labels, outcomes, latency: times, settled }) => ({ ...labels, ...outcomes, times, settled }));
  return { told, surprises };
}

describe("what an Envoy tells of a shadow", () => {
  test("is counted under rollout and run in force, apart for the copies and for what was copied", () => {
    const { told } = counted({
      counters: [
        ["cluster.v2.upstream_rq_2xx", 20],
        ["cluster.v2.upstream_rq_3xx", 1],
        ["cluster.v2.upstream_rq_4xx", 3],
        ["cluster.v2.upstream_rq_5xx", 7],
        ["vhost.all.vcluster.v2.upstream_rq_2xx", 30],
        ["vhost.all.vcluster.v2.upstream_rq_5xx", 0],
      ],
      histograms: [timed("cluster.v2.upstream_rq_time"), timed("vhost.all.vcluster.v2.upstream_rq_time", { counts: latency(1, 30) })],
    });
    const common = { rollout: "checkout", run: 4, control: false, aborted: 0, local: 0, settled: 0 };
    expect(told).toEqual([
      { ...common, variant: "shadow", ok: 21, refused: 3, failed: 7, times: latency(3, 10) },
      { ...common, variant: "shadowed", ok: 30, refused: 0, failed: 0, times: latency(1, 30) },
    ]);
  });

  test.each([
    { title: "of another cluster", counters: [["cluster.v1.upstream_rq_2xx", 20]] as const, live: {} },
    { title: "of something else", counters: [["cluster.v2.upstream_rq_total", 20]] as const, live: {} },
    { title: "once users get the canary", counters: [["cluster.v2.upstream_rq_2xx", 20]] as const, live: { copies: "none" } as const },
    { title: "beside any other strategy", counters: [["cluster.v2.upstream_rq_2xx", 20]] as const, live: { copies: undefined } },
    { title: "while the rollout is off", counters: [["cluster.v2.upstream_rq_2xx", 20]] as const, live: { off: true } },
  ])("is no evidence $title", ({ counters, live }) => {
    expect(counted({ counters }, { checkout: live })).toEqual({ told: [], surprises: [] });
  });

  test("is no evidence as long as it may be of copies before this run", () => {
    const growth = { counters: [["cluster.v2.upstream_rq_5xx", 20]], histograms: [timed("cluster.v2.upstream_rq_time")] } as const;
    expect(counted(growth, { checkout: {} }, 5_000).told).toEqual([]);
    expect(counted(growth, { checkout: {} }, 5_001).told).toMatchObject([{ variant: "shadow", failed: 20 }]);
  });

  test("waits anew under each run", () => {
    let live: Partial<LiveRule> = {};
    let nowMs = 0;
    const cells = createCells({ nowMs: () => 5, runInForce: () => 4 });
    const count = createShadowCounter({ rules: () => rulesOf({ checkout: live }), cells, nowMs: () => nowMs, surprise: () => undefined });
    count(NOTHING);
    live = { run: 5 };
    nowMs = 6_000;
    count({ ...NOTHING, counters: [["cluster.v2.upstream_rq_5xx", 20]] });
    expect([...cells.all()]).toEqual([]);
  });

  test("is no evidence where two shadows share a cluster, and that is said", () => {
    const { told, surprises } = counted({ counters: [["cluster.v2.upstream_rq_2xx", 20]] }, { checkout: {}, search: {} });
    expect([told, surprises]).toEqual([[], ["two shadows in one cluster"]]);
  });

  test.each([
    ["sums of all time", { isDelta: false }],
    ["other bounds", { bounds: [...LATENCY_BOUNDS_MS].map((bound) => 2 * bound) }],
    ["fewer bounds", { bounds: [1, 2], counts: [1, 2, 3] }],
    ["as many bounds and fewer counts", { counts: [1, 2, 3] }],
  ])("has no times by %s, and that is said", (_, change) => {
    const { told, surprises } = counted({ histograms: [timed("cluster.v2.upstream_rq_time", change)] });
    expect([told, surprises]).toEqual([[], ["times of a shadow by other bounds"]]);
  });

  test.each([
    { title: "with a shadow", live: {} },
    { title: "without", live: { copies: "none" } as const },
  ])("is sought once in rules $title, however much Envoys tell", ({ live }) => {
    const rules = rulesOf({ checkout: live });
    const looks = vi.spyOn(rules.rollouts, "values");
    const cells = createCells({ nowMs: () => 5, runInForce: () => 4 });
    const counters = Array.from({ length: 20 }, (_, index) => [`cluster.v${index}.upstream_rq_2xx`, 1] as const);
    const count = createShadowCounter({ rules: () => rules, cells, nowMs: () => 0, surprise: () => undefined });
    count({ counters, histograms: [] });
    count({ counters, histograms: [] });
    expect(looks).toHaveBeenCalledTimes(1);
  });

  test("and counts of what has no room are left out", () => {
    const full = createCells({ nowMs: () => 5, runInForce: () => 4, maxCells: 0 });
    full.told({ rollout: "checkout", variant: "shadow", run: 4, control: false }, { class: "ok", count: 1 });
    expect([...full.all()]).toEqual([]);
  });
});

import { describe, expect, test } from "vitest";
import { plain } from "../../../../src/cli/live/lines.ts";
import { screenLines, type View } from "../../../../src/cli/live/screen.ts";
import type { PlanState } from "../../../../src/contract/live.ts";
import type { RolloutPicture } from "../../../../src/contract/picture.ts";
import { StagesSchema } from "../../../../src/contract/stages.ts";
import type { CheckRecord, VerdictRecord } from "../../../../src/contract/verdict.ts";

const served = { run: 3, firstRun: 1, sinceMs: 60_000 };
const stages = StagesSchema.parse([
  { share: "1%", minTime: "1m" },
  { share: "25%", minTime: "10m", minSample: 500 },
  { share: "50%", minTime: "10m" },
]);
const check: CheckRecord = {
  verdict: "hold",
  ...{ name: "errors", weight: 0.5, stable: 0.001, canary: 0.012, difference: 0.011, lower: null, upper: null },
  ...{ threshold: 0.005, odds: 12.34, dispersion: 1, stableSample: 9_000, canarySample: 900 },
};
const verdict: VerdictRecord = {
  verdict: "hold",
  ...{ reason: "too little is proven", proven: "", odds: 3, alpha: 0.01, safeShareBp: 2_500, checks: [check] },
  ...{ unended: { stable: 0, canary: 0 }, atMs: 1, sinceMs: 0, run: 3, runSample: 120, inputs: "" },
};
const totals = { decided: 9, settled: 9, requests: 9, failed: 0 };

const rollout = (name: string, plan: PlanState, more: Partial<RolloutPicture> = {}): RolloutPicture => ({
  ...{ name, plan, stages: stages.length, ramp: null, next: null, shareBp: 2_500, updatedAtMs: 0 },
  ...{ strategy: { type: "canary", stages }, stragglers: [], stragglerRule: null, stops: [], seen: null, waiting: null },
  ...{ failingUsers: null, mix: null, blastRadius: null, template: null, report: null, lastAction: null },
  judge: { verdict, totals: { stable: totals, canary: totals, control: totals }, shareSeenBp: 2_460 },
  ...more,
});

const inStage: PlanState = { phase: "stage", ...served, stage: 1, begunAtMs: 60_000 };

const view = (rollouts: RolloutPicture[], more: Partial<View> = {}): View => ({
  picture: {
    ...{ leader: { holder: "a", term: 3, ageMs: 5 }, orders: [], freeze: null, rollouts },
    sidecars: [{ id: "s1", heard: true, state: "ok", isCurrent: true, problem: null }],
  },
  nowMs: 180_000,
  shown: rollouts.length === 1 ? rollouts[0]?.name : undefined,
  chosen: rollouts[0]?.name,
  historyOf: () => new Map([["errors", [0, 0.0025, 0.011]]]),
  changes: [],
  question: undefined,
  said: undefined,
  keys: "q quits",
  ...more,
});

const shownIn = (given: View, size = { columns: 100, rows: 40 }): string[] => screenLines(given, size).map(plain);

describe("a rollout", () => {
  test("has its stages, with what the one in force still waits for", () => {
    const lines = shownIn(view([rollout("checkout", inStage)]));
    expect(lines).toContain("stage 2 of 3, for 2 min, run 3");
    expect(lines).toContain("  ✓ 1. 1 %     ");
    expect(lines).toContain("  ▶ 2. 25 %      8 min left of 10 min, 120 of 500 outcomes");
    expect(lines).toContain("    3. 50 %      at least 10 min, 200 outcomes");
  });

  test("counts outcomes of this stage alone, and says when its time is over", () => {
    const lines = shownIn(view([rollout("checkout", { ...inStage, run: 4, begunAtMs: 0 })], { nowMs: 700_000 }));
    expect(lines).toContain("  ▶ 2. 25 %      10 min are over, 0 of 500 outcomes");
  });

  test("has no stage in force while it waits for sidecars, or when it is back", () => {
    const plans: PlanState[] = [
      { phase: "pending", ...served },
      { phase: "rolledBack", ...served, reason: "errors", stragglers: [] },
    ];
    for (const plan of plans) expect(shownIn(view([rollout("checkout", plan)])).join("\n")).not.toMatch(/[▶✓]/);
  });

  test("that is promoted has all stages behind it", () => {
    const lines = shownIn(view([rollout("checkout", { phase: "promoted", ...served, overdue: false })]));
    expect(lines.filter((line) => line.startsWith("  ✓ "))).toHaveLength(3);
  });

  test("that goes by groups has these for stages", () => {
    const groups: PlanState = { phase: "group", ...served, groups: ["a", "b"], group: 1, begunAtMs: null };
    const rolling = { type: "rolling", by: "zone", share: 10_000, minTime: 60_000, minSample: 50, onUnhealthy: "rollback" } as const;
    const lines = shownIn(view([rollout("checkout", groups, { strategy: rolling, stages: 0 })]));
    expect(lines).toContain("  ✓ 1. a       ");
    expect(lines).toContain("  ▶ 2. b         at least 1 min, 50 outcomes");
  });

  test("shows share set and seen as bars, and each check with its course", () => {
    const lines = shownIn(view([rollout("checkout", inStage)]));
    expect(lines).toContain(`  share set   ${"█".repeat(12)}▌${"░".repeat(37)} 25 %`);
    expect(lines).toContain(`  share seen  ${"█".repeat(12)}▎${"░".repeat(37)} 24.6 %`);
    expect(lines).toContain("  hold, safe share 25 %: too little is proven");
    expect(lines).toContain("  errors       0.10 %     1.20 %     0.50 %   12.3 : 1  ▁▃█");
  });

  test("without a verdict says so", () => {
    expect(shownIn(view([rollout("checkout", inStage, { judge: null })]))).toContain("  no verdict yet");
  });
});

describe("the list", () => {
  test("has those under way first, the chosen one marked", () => {
    const ended: PlanState = { phase: "handedOver", ...served };
    const lines = shownIn(view([rollout("cart", ended), rollout("checkout", inStage)], { chosen: "checkout" }));
    const rows = lines.filter((line) => /cart|checkout/.test(line));
    expect(rows).toEqual([
      "▶ checkout    25 %  stage 2 of 3  hold, odds of harm 3 : 1",
      "  cart        25 %  handed over  hold, odds of harm 3 : 1",
    ]);
  });

  test("keeps the chosen one in sight where it does not fit, and says how many more there are", () => {
    const many = Array.from({ length: 50 }, (_, index) => rollout(`r${index + 10}`, inStage));
    const lines = shownIn(view(many, { chosen: "r40" }), { columns: 80, rows: 20 });
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(lines.filter((line) => line.startsWith("▶ r40"))).toHaveLength(1);
    expect(lines).toContain("  and 41 more");
  });

  test("without a rollout says so", () => {
    expect(shownIn(view([]))).toContain("no rollouts");
  });
});

describe("the screen", () => {
  test("begins with the leader and the fleet, whatever is shown", () => {
    expect(shownIn(view([rollout("checkout", inStage)])).slice(0, 3)).toEqual([
      `serin · checkout${" ".repeat(72)}00:03:00 UTC`,
      "controller a leads (term 3)",
      "1 sidecar known, 1 heard just now",
    ]);
  });

  test("ends with the newest of what happened, as much as there is room for, and the keys", () => {
    const changes = Array.from({ length: 60 }, (_, index) => `change ${index}`);
    const lines = shownIn(view([rollout("checkout", inStage)], { changes }), { columns: 80, rows: 30 });
    expect(lines).toHaveLength(30);
    expect(lines.slice(-2)).toEqual(["change 59", "q quits"]);
  });

  test("keeps the keys where there is hardly any room", () => {
    expect(shownIn(view([rollout("checkout", inStage)]), { columns: 20, rows: 4 }).at(-1)).toBe("q quits");
  });

  test("asks in place of the keys, and shows how the last command ended", () => {
    const question = { text: "abort: checkout sends everyone back to stable.", typed: "wrong pri" };
    expect(shownIn(view([rollout("checkout", inStage)], { question })).slice(-2)).toEqual([
      "abort: checkout sends everyone back to stable. Enter does it, with a reason or none; Esc leaves it.",
      "reason: wrong pri▏",
    ]);
    expect(shownIn(view([], { said: "checkout: abort done" })).slice(-2)).toEqual(["checkout: abort done", "q quits"]);
  });
});

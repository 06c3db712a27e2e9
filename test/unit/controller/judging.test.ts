import { describe, expect, test } from "vitest";
import { EvidenceSchema } from "../../../src/contract/evidence.ts";
import { type JudgeRecord, JudgeRecordSchema } from "../../../src/contract/live.ts";
import { pointsOf } from "../../../src/controller/evidence-points.ts";
import { type Judging, judgeReports, notAhead, recordOf, resumeJudging, startJudging } from "../../../src/controller/judging.ts";
import { NOBODY_FAILED } from "../../../src/controller/told-users.ts";
import { policyOf } from "../../../src/core/judge/policy.ts";
import { type Counts, evidenceOf, PHASES, planState, rolloutOf } from "./builders.ts";

const stages = [
  { share: "10%", minSample: 11 },
  { share: "50%", minSample: 22 },
];
const rollout = rolloutOf("cart", { strategy: { type: "canary", stages } });

const report = (sequence: number, counts: readonly Counts[], sidecar = "side") => ({
  sidecar,
  report: pointsOf(EvidenceSchema.parse(evidenceOf("cart", sequence, counts))),
});
const both = (failed: number): Counts[] => [
  { variant: "stable", run: 3, decided: 900, ok: 900, failed: 0 },
  { variant: "canary", run: 3, decided: 100, ok: 100 - failed, failed },
];
const judged = (judging: Judging, reports: readonly ReturnType<typeof report>[], phase: Parameters<typeof planState>[0] = "stage") =>
  judgeReports(judging, { rollout, plan: planState(phase), shareBp: 1_000 }, reports, 1_000);
const parsed = (text: string): JudgeRecord => JudgeRecordSchema.parse(JSON.parse(text));

test("a leader whose clock is behind that of the one before goes on by its own, and its verdicts are of its time", () => {
  const aheadMs = 3_600_000;
  const scene = { rollout, plan: planState("stage"), shareBp: 1_000 };
  const before = judgeReports(startJudging(1, aheadMs), scene, [report(1, both(0))], aheadMs + 1_000);
  const twice = both(0).map((count) => ({ ...count, decided: 2 * count.decided, ok: 2 * count.ok }));
  const { state, verdict } = judgeReports(notAhead(before, 2_000), scene, [report(2, twice)], 3_000);
  expect([state.nowMs, verdict?.atMs, verdict?.canaryAtMs, state.metrics["errors"]?.betAtMs]).toEqual([3_000, 3_000, 3_000, 3_000]);
  expect(notAhead(before, aheadMs + 1_000)).toBe(before);
});

describe("judging", () => {
  test("counts each message and judges it at once", () => {
    const first = judged(startJudging(1, 0), [report(1, both(50))]);
    const twice = both(50).map((count) => ({ ...count, decided: 2 * count.decided, ok: 2 * count.ok, failed: 2 * count.failed }));
    const { verdict, tally } = judged(first, [report(2, twice)]);
    expect([verdict?.verdict, verdict?.run, verdict?.runSample]).toEqual(["rollback", 3, 200]);
    expect(tally.totals.canary).toEqual({ decided: 200, settled: 200, requests: 200, failed: 100 });
  });

  test("says how many canary decisions another cluster answered, until the next run", () => {
    const counts: Counts[] = [
      { variant: "stable", run: 3, decided: 900, ok: 900, failed: 0 },
      { variant: "canary", run: 3, decided: 40, ok: 0, failed: 0, elsewhere: 40 },
    ];
    const before = judged(startJudging(1, 0), [report(1, counts)]);
    expect(before.verdict).toMatchObject({
      verdict: "unknown",
      reason:
        "no outcome of the canary yet; 40 canary decisions were answered by another cluster: does Envoy have the cluster and the priority group `cart-canary`?",
    });
    const next = counts.map((count) => ({ ...count, run: 4, ok: count.decided, elsewhere: 0 }));
    const plan = { ...planState("stage"), run: 4 };
    expect(judgeReports(before, { rollout, plan, shareBp: 1_000 }, [report(2, next)], 2_000).verdict?.reason).not.toContain(
      "another cluster",
    );
  });

  describe("tells the judge of failing users", () => {
    const users = { stable: { newly: 1, knownRequests: 0 }, canary: { newly: 2, knownRequests: 30 }, half: { newly: 0, knownRequests: 0 } };
    const withUsers = (judging: Judging, counts: readonly Counts[], sequence = 1) => {
      return judgeReports(judging, { rollout, plan: planState("stage"), shareBp: 1_000, users }, [report(sequence, counts)], 1_000);
    };

    test("each time of what is new, also after its record was taken up by another leader", () => {
      const first = withUsers(startJudging(1, 0), both(50));
      expect(first.told).toEqual({ ...users, stable: { newly: 0, knownRequests: 0 } });
      const resumed = resumeJudging(parsed(recordOf("cart", first, 3).text), 1);
      expect(resumed?.told).toEqual(first.told);
      const more = both(60).map((count) => ({ ...count, failed: count.failed + 1 }));
      expect(withUsers(resumed ?? startJudging(1, 0), more, 2).told).toEqual(users);
    });

    test("from the first request on that a share decided, for only then are there keys", () => {
      const found = report(1, both(50));
      const points = found.report.points.map((point) => (point.measure === "shared" ? { ...point, measure: "decided" as const } : point));
      const about = { rollout, plan: planState("stage"), shareBp: 1_000, users };
      const before = judgeReports(startJudging(1, 0), about, [{ ...found, report: { ...found.report, points } }], 1_000);
      expect(before.told).toBeNull();
      expect(resumeJudging(parsed(recordOf("cart", before, 3).text), 1)?.told).toBeNull();
    });

    test("never where nobody knows any", () => {
      expect(judged(startJudging(1, 0), [report(1, both(50))]).told).toEqual(NOBODY_FAILED);
    });
  });

  test("gives no verdict without evidence", () => {
    expect(judged(startJudging(1, 0), []).verdict).toBeNull();
  });

  test("counts nothing twice when a message comes again", () => {
    const once = judged(startJudging(1, 0), [report(1, both(1))]);
    expect(judged(once, [report(1, both(1))])).toEqual(once);
  });

  test.each(["rollingBack", "rolledBack", "handedOver"] as const)("goes on counting but keeps its verdict when %s", (phase) => {
    const before = judged(startJudging(1, 0), [report(1, both(50))]);
    const after = judged(before, [report(1, both(0), "other")], phase);
    expect([after.verdict, after.tally.totals.canary.requests]).toEqual([before.verdict, 200]);
  });

  test("goes on from its record as if it had never stopped", () => {
    const before = judged(startJudging(1, 0), [report(1, both(1))]);
    const resumed = resumeJudging(parsed(recordOf("cart", before, 3).text), 1);
    expect(resumed).toBeDefined();
    const next = report(
      2,
      both(2).map((count) => ({ ...count, decided: count.decided + 50, ok: count.ok + 50 })),
    );
    const goesOn = (judging: Judging | undefined) => judged(judging ?? startJudging(1, 0), [next]);
    expect(goesOn(resumed).verdict).toEqual(goesOn(before).verdict);
  });

  test("begins anew rather than go on from another attempt's record", () => {
    const record = parsed(recordOf("cart", startJudging(1, 0), 3).text);
    expect([resumeJudging(record, 4), resumeJudging({ ...record, judge: {} }, 1)]).toEqual([undefined, undefined]);
  });

  test("keeps its record below what NATS takes, by closing old runs", () => {
    const runs = Array.from({ length: 60 }, (_, run) => run + 1);
    const counts = runs.flatMap((run) => both(0).map((count) => ({ ...count, run })));
    const reports = Array.from({ length: 20 }, (_, index) => report(1, counts, `side-${index}`));
    const { text, judging } = recordOf("cart", judged(startJudging(1, 0), reports), 60);
    expect(text.length).toBeLessThan(512 * 1_024);
    expect([judging.cursors.closedBelow, Object.keys(judging.cursors.sources).length]).toEqual([58, 20]);
  });
});

test("the minimum sample is the stage's, and the last one's from the promotion on", () => {
  const samples = PHASES.map((plan) => `${plan.phase} ${policyOf(rollout, plan).minSample}`);
  expect(samples).toEqual([
    "queued 11",
    "pending 11",
    "stage 11",
    "ramp 22",
    "holdback 22",
    "paused 11",
    "promoting 22",
    "promoted 22",
    "rollingBack 22",
    "rolledBack 22",
    "handedOver 22",
  ]);
});

test("in a ramp one outcome is enough: what counts there is the evidence of all its runs", () => {
  const ramp = rolloutOf("cart", { strategy: { type: "canary", ramp: "auto" } });
  expect(PHASES.map((plan) => policyOf(ramp, plan).minSample)).toEqual(PHASES.map(() => 1));
});

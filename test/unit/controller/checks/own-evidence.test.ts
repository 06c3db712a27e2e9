import { describe, expect, test } from "vitest";
import { EvidenceSchema } from "../../../../src/contract/evidence.ts";
import { JudgeRecordSchema } from "../../../../src/contract/live.ts";
import { NO_OWN, type OwnNews, takeOwn } from "../../../../src/controller/checks/own-evidence.ts";
import { pointsOf } from "../../../../src/controller/evidence-points.ts";
import { type Judging, judgeReports, recordOf, resumeJudging, startJudging } from "../../../../src/controller/judging.ts";
import { batchOf } from "../../../../src/controller/tally.ts";
import { evidenceOf, planState, pointOf, rolloutOf } from "../builders.ts";

const query = 'x{variant="{variant}"}';
const rollout = rolloutOf("cart", {
  checks: {
    own: [
      { name: "complaints", feedback: { kind: "complaint" }, harm: "higher" },
      { name: "cpu", gauge: { prometheus: query }, harm: "higher" },
      { name: "smoke", webhook: { url: "https://smoke.example/check" } },
    ],
  },
});
const news = (change: Partial<OwnNews> = {}): OwnNews => ({
  isNew: true,
  counts: {},
  samples: {},
  hits: {},
  variants: {},
  findings: [],
  ...change,
});
const decided = (stable: number, canary: number) =>
  batchOf(
    [pointOf({ measure: "decided", variant: "stable", values: [stable] }), pointOf({ measure: "decided", values: [canary] })],
    { run: 3, shareBp: 1_000 },
    0,
  );

describe("feedback is counted of the requests that were decided", () => {
  test("and waits while there are fewer of them", () => {
    const first = takeOwn(NO_OWN, { rollout, own: news({ hits: { complaints: { stable: 1, canary: 5 } } }) }, decided(100, 2));
    expect(first.counts).toEqual({ complaints: { stableHits: 1, stable: 100, canaryHits: 2, canary: 2 } });
    expect(first.state.hits).toEqual({ complaints: { stable: 0, canary: 3 } });
    const next = takeOwn(first.state, { rollout, own: news() }, decided(10, 20));
    expect(next.counts).toEqual({ complaints: { stableHits: 0, stable: 10, canaryHits: 3, canary: 20 } });
    expect(next.state.hits).toEqual({ complaints: { stable: 0, canary: 0 } });
  });

  test("and without requests there is nothing to bet on", () => {
    expect(takeOwn(NO_OWN, { rollout, own: news() }, decided(0, 0)).counts).toBeUndefined();
  });

  test("counters of its own go along as they are", () => {
    const counts = { orders: { stableHits: 1, stable: 2, canaryHits: 3, canary: 4 } };
    expect(takeOwn(NO_OWN, { rollout: rolloutOf("cart"), own: news({ counts }) }, decided(0, 0)).counts).toEqual(counts);
  });
});

describe("judging with checks of the rollout's own", () => {
  const evidence = (sequence: number, count: number) => ({
    sidecar: "side",
    report: pointsOf(
      EvidenceSchema.parse(
        evidenceOf("cart", sequence, [
          { variant: "stable", run: 3, decided: count, ok: count, failed: 0 },
          { variant: "canary", run: 3, decided: count, ok: count, failed: 0 },
        ]),
      ),
    ),
  });
  const judged = (before: Judging, own: OwnNews | undefined, reports: Parameters<typeof judgeReports>[2], nowMs: number): Judging =>
    judgeReports(before, { rollout, plan: planState("stage"), shareBp: 1_000, own }, reports, nowMs);
  const smoke = (verdict: "advance" | "rollback") => [{ name: "smoke", isCritical: true, verdict, reason: `says ${verdict}` }];
  const started = (): Judging => judged(startJudging(1, 0), undefined, [evidence(1, 50_000)], 1_000);

  test("a webhook's rollback is a fresh verdict, though no outcome came with it", () => {
    const { verdict } = judged(started(), news({ findings: smoke("rollback") }), [], 9_000);
    expect(verdict).toMatchObject({ verdict: "rollback", reason: "smoke: says rollback", atMs: 9_000, safeShareBp: 0 });
  });

  test("other news alone make a verdict no younger, so that nothing grows on old outcomes", () => {
    const { verdict } = judged(started(), news({ findings: smoke("advance") }), [], 9_000);
    expect(verdict).toMatchObject({ atMs: 1_000, checks: expect.arrayContaining([expect.objectContaining({ name: "smoke" })]) });
  });

  test("what was said before stands with new outcomes too", () => {
    const { verdict } = judged(started(), news({ isNew: false, findings: smoke("rollback") }), [evidence(2, 60_000)], 2_000);
    expect(verdict?.verdict).toBe("rollback");
  });

  test("nothing new is nothing to judge", () => {
    const before = started();
    expect(judged(before, news({ isNew: false, findings: smoke("advance") }), [], 9_000)).toBe(before);
  });

  test("a gauge warns in the record, and the next leader goes on with it", () => {
    let judging = started();
    for (let block = 0; block <= 60; block += 1) {
      const atMs = block * 30_000;
      judging = judged(judging, news({ samples: { cpu: [{ atMs, stable: 0.5, canary: 0.9 + (block % 2) / 100 }] } }), [], 2_000 + atMs);
    }
    const cpu = (from: Judging | undefined) => from?.verdict?.checks.find(({ name }) => name === "cpu");
    expect(cpu(judging)).toMatchObject({ verdict: "hold", weight: 0, stable: 0.5, canarySample: 50 });
    expect(judging.verdict?.reason).toContain("cpu: worse by more than 0.05: 0.905 on canary against 0.5 on stable over 50 times 30 s");
    const record = JudgeRecordSchema.parse(JSON.parse(recordOf("cart", judging, 3).text));
    expect(resumeJudging(record, 1)?.own).toEqual(judging.own);
    const { own: _, ...older } = record;
    expect(resumeJudging(older, 1)?.own).toEqual(NO_OWN);
  });

  test("a gauge that cannot be read is unknown, whatever it said before", () => {
    const findings = [{ name: "cpu", isCritical: false, verdict: "unknown", reason: "away" } as const];
    const { verdict } = judged(started(), news({ findings }), [], 9_000);
    expect(verdict?.checks.filter(({ name }) => name === "cpu")).toMatchObject([{ verdict: "unknown", canary: null }]);
  });
});

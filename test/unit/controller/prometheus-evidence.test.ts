import { describe, expect, test } from "vitest";
import { JudgeRecordSchema } from "../../../src/contract/live.ts";
import { LATENCY_BOUNDS_MS } from "../../../src/contract/names.ts";
import { judgeReports, recordOf, resumeJudging, type SourcedReport, startJudging } from "../../../src/controller/judging.ts";
import { scrapedReports } from "../../../src/controller/prometheus-evidence.ts";
import type { PrometheusSeries } from "../../../src/io/prometheus-api.ts";
import { countersOf, scrapedAtMs } from "../../../src/io/prometheus-counters.ts";
import { planState, rolloutOf } from "./builders.ts";

const AT = 1_000;
const rollout = rolloutOf("cart");
const plan = planState("stage");

/** One series as a server answers it, of a sidecar unless said otherwise. */
const series = (name: string, labels: Record<string, string>, value: number): PrometheusSeries => ({
  labels: { __name__: name, instance: "a:9464", job: "serin", rollout: "cart", variant: "canary", run: "3", control: "false", ...labels },
  points: [[AT, value]],
});
const outcomes = (ok: number, failed: number, labels: Record<string, string> = {}): PrometheusSeries[] => [
  series("serin_outcomes_total", { class: "ok", ...labels }, ok),
  series("serin_outcomes_total", { class: "failed", ...labels }, failed),
];
/** A histogram in which all took 2 to 3 ms. */
const durations = (count: number): PrometheusSeries[] =>
  [...LATENCY_BOUNDS_MS.map((ms) => String(ms / 1_000)), "+Inf"].map((le) =>
    series("serin_outcome_duration_seconds_bucket", { le }, le !== "+Inf" && Number(le) < 0.003 ? 0 : count),
  );
const reportsOf = (...found: PrometheusSeries[]): SourcedReport[] => scrapedReports(countersOf(found), AT, scrapedAtMs(found));
/** When the sidecar was scraped, as `timestamp()` tells it. */
const scrapedAt = (seconds: number): PrometheusSeries => ({ labels: { instance: "a:9464", job: "serin" }, points: [[AT, seconds]] });
const totalsAfter = (...rounds: PrometheusSeries[][]) =>
  rounds.reduce(
    (judging, found, index) => judgeReports(judging, { rollout, plan, shareBp: 1_000 }, reportsOf(...found), index),
    startJudging(1, 0),
  ).tally.totals.canary;

describe("what Prometheus scraped", () => {
  test("is read like the reports of sidecars, each of the scraped its own", () => {
    const reports = reportsOf(
      ...outcomes(9, 1),
      series("serin_decisions_total", { reason: "share" }, 12),
      series("serin_requests_settled_total", {}, 11),
      ...outcomes(5, 0, { instance: "b:9464" }),
    );
    expect(reports.map(({ sidecar, report }) => [sidecar, report.points.length, report.unreadable])).toEqual([
      ["prometheus/a:9464", 4, 0],
      ["prometheus/b:9464", 2, 0],
    ]);
    const { tally } = judgeReports(startJudging(1, 0), { rollout, plan, shareBp: 1_000 }, reports, 0);
    expect(tally.totals.canary).toEqual({ decided: 12, settled: 11, requests: 15, failed: 1 });
  });

  test("brings each duration into its own bucket", () => {
    const [report] = reportsOf(...durations(7));
    const [point] = report?.report.points ?? [];
    expect([point?.measure, point?.values.indexOf(7), point?.values.reduce((a, b) => a + b)]).toEqual([
      "latency",
      LATENCY_BOUNDS_MS.indexOf(3),
      7,
    ]);
  });

  test("counts what grew, and all of a counter that began anew", () => {
    expect(totalsAfter(outcomes(100, 10), outcomes(150, 10))).toMatchObject({ requests: 160, failed: 10 });
    expect(totalsAfter(outcomes(100, 10), outcomes(100, 10))).toMatchObject({ requests: 110, failed: 10 });
    expect(totalsAfter(outcomes(100, 10), outcomes(20, 2))).toMatchObject({ requests: 132, failed: 12 });
  });

  test("counts nothing anew of a server that lags behind its twin, and all of a sidecar that began anew", () => {
    const ahead = [...outcomes(150, 10), scrapedAt(20.5)];
    const behind = [...outcomes(100, 10), scrapedAt(10.5)];
    expect(totalsAfter(ahead, behind, ahead)).toMatchObject({ requests: 160, failed: 10 });
    expect(totalsAfter(behind, ahead, behind)).toMatchObject({ requests: 160, failed: 10 });
    expect(totalsAfter(ahead, [...outcomes(20, 2), scrapedAt(21)])).toMatchObject({ requests: 182, failed: 12 });
  });

  test("counts a sidecar once that two jobs, or two servers, scrape", () => {
    const twice = [...outcomes(100, 10), ...outcomes(90, 9, { job: "other" }), ...outcomes(95, 9, { replica: "b" })];
    expect(totalsAfter(twice, twice)).toMatchObject({ requests: 110, failed: 10 });
  });

  test("that cannot be read is counted as such", () => {
    const [report] = reportsOf(
      series("serin_outcomes_total", { class: "odd" }, 1),
      series("serin_outcome_duration_seconds_bucket", { le: "+Inf" }, 3),
    );
    expect([report?.report.points.length, report?.report.unreadable]).toEqual([0, 2]);
  });
});

describe("a judge that is taken over", () => {
  const judged = (reports: readonly SourcedReport[]) => {
    const { text } = recordOf("cart", judgeReports(startJudging(1, 0), { rollout, plan, shareBp: 1_000 }, reports, 0), plan.run);
    return JudgeRecordSchema.parse(JSON.parse(text));
  };
  const scraped = judged(reportsOf(...outcomes(9, 1)));
  const sent = judged(reportsOf(...outcomes(9, 1)).map(({ report }) => ({ sidecar: "side", report })));

  test("goes on from counts of the same source, and begins anew where another counted: nothing counts twice", () => {
    expect(resumeJudging(scraped, 1, "prometheus")?.state).toEqual(scraped.judge);
    expect(resumeJudging(sent, 1)?.state).toEqual(sent.judge);
    expect([resumeJudging(scraped, 1), resumeJudging(sent, 1, "prometheus")]).toEqual([undefined, undefined]);
  });

  test("says in its record that Prometheus counted", () => {
    expect([scraped.source, sent.source]).toEqual(["prometheus", undefined]);
  });
});

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { ALERT_RULES } from "../../scripts/monitoring/alerts.ts";
import { RECORDING_RULES } from "../../scripts/monitoring/rules.ts";
import { METRICS } from "../../src/contract/names.ts";
import { stopAll } from "../../src/demo/stop-all.ts";
import { startTraffic, type Traffic } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { createPrometheusApi, type PrometheusApi, type PrometheusSeries } from "../../src/io/prometheus-api.ts";
import { boards, filledIn, queriesOf } from "../support/boards.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { readPromql } from "../support/promql.ts";
import { applyRollout, connect, rolloutOf, type Stack, startStack, waitForLive } from "../support/stack.ts";
import { MAY_BE_EMPTY } from "./dashboards-empty.ts";

const RulesSchema = z.object({ data: z.object({ groups: z.array(z.object({ rules: z.array(z.looseObject({ health: z.string() })) })) }) });

/** With a scrape each second; in place of what Grafana makes of the scrape interval. */
const RANGE = "10s";
const GOOD = "good";
const BAD = "bad";

const stops: (() => unknown)[] = [];
let stack: Stack;
let link: NatsLink;
let prometheus: Prometheus;
let api: PrometheusApi;
let traffic: Traffic;
let span: { fromMs: number; toMs: number; stepMs: number };

beforeAll(async () => {
  const folder = join(packageRoot(), "deploy", "prometheus");
  const rules = (await readdir(folder)).filter((name) => name.endsWith(".rules.yaml")).map((name) => join(folder, name));
  prometheus = await startPrometheus({ rules });
  stops.push(prometheus.stop);
  api = createPrometheusApi({ url: prometheus.url, timeoutMs: 10_000 });
  stack = await startStack({ controllerArgs: ["--http", "127.0.0.1:0"] });
  stops.push(stack.stop);
  link = await connect(stack);
  stops.push(link.close);
  const controller = await waitFor(() => /"http":"([^"]+)"/.exec(stack.controller(0).output())?.[1], {
    deadlineMs: 10_000,
    what: "the controller's page",
  });
  const sidecars = stack.sidecarIds.map((_, index) => stack.sidecarUrl(index));
  await prometheus.setTargets([controller, ...sidecars, `http://127.0.0.1:${stack.envoy.adminPort}/stats/prometheus`]);
  await waitFor(async () => ((await api.instant("sum(up)"))[0]?.points[0]?.[1] === 4 ? true : undefined), {
    deadlineMs: 30_000,
    what: "Prometheus to scrape all parts",
  });
  const fromMs = Date.now();
  await letBothRun();
  // Until no rate sees a request any more: what is asked over all of this meets the system idle too.
  await traffic.stop();
  await waitFor(async () => (valuesIn(await api.instant(`sum(rate(${METRICS.decisions}[${RANGE}]))`))[0] === 0 ? true : undefined), {
    deadlineMs: 60_000,
    what: "the system to be idle",
  });
  span = { fromMs, toMs: Date.now(), stepMs: 1_000 };
}, 180_000);
afterAll(() => stopAll(stops));

/** A canary that everybody gets, then one that fails and is taken back. */
async function letBothRun(): Promise<void> {
  const stages = [
    { share: "10%", minTime: "3s", minSample: 20 },
    { share: "50%", minTime: "3s", minSample: 20 },
  ];
  await applyRollout(stack, { ...rolloutOf(GOOD, stages), blastRadius: { failedRequests: 1_000 } });
  // Nothing goes on before somebody asks for something.
  await scraped(`${METRICS.rolloutStage}{rollout="${GOOD}"} == 1`);
  traffic = startTraffic({
    port: stack.envoy.port,
    host: "shop.example",
    path: "/",
    users: 1_000,
    perSecond: 150,
    onRequest: () => undefined,
  });
  stops.push(() => traffic.stop());
  await waitForLive(link, GOOD, ({ plan }) => plan.phase === "stage" && plan.stage === 1 && plan.begunAtMs !== null, 60_000);
  await scraped(`${METRICS.rolloutStage}{rollout="${GOOD}"} == 2`);
  // The proof for everybody takes minutes of traffic.
  await stack.serin("promote", GOOD, "--full");
  await waitForLive(link, GOOD, ({ plan }) => plan.phase === "promoted", 60_000);
  await scraped(`${METRICS.rolloutPhase}{rollout="${GOOD}",phase="promoted"} == 1`);
  await stack.serin("handover", GOOD);
  await waitForLive(link, GOOD, ({ plan }) => plan.phase === "handedOver");
  await applyRollout(stack, { ...rolloutOf(BAD, [{ share: "20%", minTime: "1h" }]), blastRadius: { failedRequests: 1_000 } });
  await waitForLive(link, BAD, ({ plan }) => plan.phase === "stage" && plan.begunAtMs !== null);
  // A canary that fails before its first scrape shows in no rate.
  await scraped(`${METRICS.outcomes}{rollout="${BAD}",variant="canary"}`);
  stack.canary.failPart(0.5);
  await waitForLive(link, BAD, ({ plan }) => plan.phase === "rolledBack", 60_000);
}

/** Waits until Prometheus has seen it: what ends before a scrape is in no answer. */
const scraped = (expr: string): Promise<true> =>
  waitFor(async () => ((await api.instant(expr)).length > 0 ? true : undefined), { deadlineMs: 30_000, what: `a scrape of ${expr}` });

const overAll = (expr: string): Promise<readonly PrometheusSeries[]> => api.range(expr, span);
const valuesIn = (found: readonly PrometheusSeries[]): number[] => found.flatMap(({ points }) => points.map(([, value]) => value));

/** What is wrong with the answers to some queries: a refusal, an answer with NaN, or none at all. */
async function faultsOf(queries: readonly { where: string; expr: string }[]): Promise<string[]> {
  const faults: string[] = [];
  for (const { where, expr } of queries) {
    const values = await overAll(expr).then(valuesIn, (error: Error) => error.message);
    if (typeof values === "string") faults.push(`${where}: ${values}`);
    else if (values.some(Number.isNaN)) faults.push(`${where}: NaN`);
    else if (values.length === 0) faults.push(`${where}: empty`);
  }
  return faults;
}

const isEmpty = (fault: string): boolean => fault.endsWith(": empty");
const MAY_BE = Object.keys(MAY_BE_EMPTY).map((where) => `${where}: empty`);

describe.each(boards)("the dashboard $title, asked from before the first rollout until all is idle", (board) => {
  const filled = (rollout: string): { where: string; expr: string }[] =>
    queriesOf(board).map(({ where, expr }) => ({ where, expr: filledIn(expr, { rollout, range: RANGE }) }));

  test("has an answer without NaN to every query, but for those that ask for what did not happen", async () => {
    const faults = await Promise.all([GOOD, BAD].map((rollout) => faultsOf(filled(rollout))));
    // What one of the two rollouts shows is there.
    const [good = [], bad = []] = faults;
    expect(good.filter((fault) => bad.includes(fault) && !MAY_BE.includes(fault))).toEqual([]);
    expect([...good, ...bad].filter((fault) => !isEmpty(fault))).toEqual([]);
  });

  test("shows nothing of a rollout that nobody knows, and no error", async () => {
    const faults = await faultsOf(filled("nobody"));
    expect(faults.filter((fault) => !isEmpty(fault))).toEqual([]);
  });
});

test("what may be empty is asked for", () => {
  const places = [...boards.flatMap(queriesOf).map(({ where }) => where), ...Object.values<string>(METRICS)];
  expect(places).toEqual(expect.arrayContaining(Object.keys(MAY_BE_EMPTY)));
});

test("every recorded series has values, and none is NaN", async () => {
  expect(await faultsOf(RECORDING_RULES.map(({ record }) => ({ where: record, expr: record })))).toEqual([]);
});

test("Prometheus evaluates every rule, and every series that rules ask for is there", async () => {
  const answer = await fetch(`${prometheus.url}/api/v1/rules`);
  const rules = RulesSchema.parse(await answer.json()).data.groups.flatMap(({ rules: of }) => of);
  expect(rules).toHaveLength(ALERT_RULES.length + RECORDING_RULES.length);
  for (const rule of rules) expect(rule).toMatchObject({ health: "ok" });
  const asked = new Set([...ALERT_RULES, ...RECORDING_RULES].flatMap(({ expr }) => readPromql(expr).selectors.map(({ metric }) => metric)));
  const faults = await faultsOf([...asked].map((metric) => ({ where: metric, expr: `count(${metric})` })));
  expect(faults.filter((fault) => !MAY_BE.includes(fault))).toEqual([]);
});

test("the failures of the canary that was taken back show in its rates", async () => {
  const asked = boards.flatMap(queriesOf).filter(({ where }) => /^serin-(rollout \/ Failed|fleet \/ Failed on the canary) \//.test(where));
  const found = await Promise.all(asked.map(({ expr }) => overAll(filledIn(expr, { rollout: BAD, range: RANGE }))));
  const ofBad = found.map((lines) =>
    valuesIn(lines.filter(({ labels }) => labels["variant"] === "canary" && [undefined, BAD].includes(labels["rollout"]))),
  );
  expect(ofBad.map((values) => values.some((value) => value > 0.1))).toEqual([true, true]);
});

test("the bad rollout, and nothing else, fires an alert", async () => {
  const firing = await overAll('max by (alertname, rollout) (ALERTS{alertstate="firing"})');
  expect(firing.map(({ labels }) => labels)).toEqual([{ alertname: "SerinRolledBack", rollout: BAD }]);
});

test("phases and stages are marked where they began", async () => {
  const marks = boards
    .slice(0, 1)
    .flatMap(queriesOf)
    .filter(({ where }) => where.includes("/ annotation /"));
  const found = await Promise.all(marks.map(({ expr }) => overAll(filledIn(expr, { rollout: GOOD, range: RANGE }))));
  expect(found.map((of) => of.map(({ labels }) => labels["phase"] ?? labels["stage"]))).toEqual([
    expect.arrayContaining(["handedOver", "promoted", "stage"]),
    expect.arrayContaining(["1", "2"]),
  ]);
});

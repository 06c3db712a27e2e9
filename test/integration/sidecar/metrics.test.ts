import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, describe, expect } from "vitest";
import { SIDECAR_FACTS } from "../../../src/contract/sidecar-metrics.ts";
import { createPrometheusText } from "../../../src/io/prometheus-text.ts";
import { createCells } from "../../../src/sidecar/cells.ts";
import { cellMetricParts } from "../../../src/sidecar/metric-data.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { requestHeaders, startTestSidecar, type TestSidecar } from "../../support/sidecar.ts";

const variants = { stable: { cluster: "stable", tags: {} }, canary: { cluster: "canary", tags: {} } };
const rules = { ...ruleSetOf({ checkout: ruleOf({ variants }, { shareBp: 5_000, run: 2 }) }), revision: 1 };

/** A sidecar on a rules file, half of whose users are on the canary. */
const test = base.extend<{ sidecar: TestSidecar }>({
  sidecar: async ({}, use) => {
    const directory = await mkdtemp(join(tmpdir(), "serin-metrics-"));
    const file = join(directory, "rules.json");
    await writeFile(file, JSON.stringify(rules));
    const sidecar = await startTestSidecar({ source: { file } });
    await use(sidecar);
    await sidecar.stop();
    await rm(directory, { recursive: true });
  },
});

const text = (stringValue: string) => ({ stringValue });

/** A request of the canary that ended: after 2 attempts, stable had answered. */
const ended = (more: Readonly<{ code?: number; attempts?: number; by?: string; trailers?: object }>) => ({
  commonProperties: {
    duration: { nanos: 9_000_000 },
    timeToFirstDownstreamTxByte: { nanos: 4_000_000 },
    upstreamCluster: more.by ?? "canary",
    upstreamRemoteAddress: { socketAddress: { address: "127.0.0.1", portValue: 1 } },
    upstreamRequestAttemptCount: more.attempts ?? 1,
    metadata: {
      filterMetadata: {
        serin: {
          fields: { variant: text("canary"), rollout: text("checkout"), run: text("2"), control: text("false"), cluster: text("canary") },
        },
      },
    },
  },
  response: { responseCode: { value: more.code ?? 200 }, responseTrailers: more.trailers },
});

/** Values by sample, as `name{labels}` → 1. */
const samplesIn = (page: string): ReadonlyMap<string, number> =>
  new Map(
    page
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );

const SERIES = 'rollout="checkout",variant="canary",run="2",control="false"';

describe("a scrape of a sidecar", () => {
  test("tells how requests ended: gRPC's status, rescues, and times as users and upstreams see them", async ({ sidecar }) => {
    await sidecar.log(
      ended({ trailers: { "grpc-status": "14" } }),
      ended({ attempts: 2, by: "stable" }),
      ended({ attempts: 2, code: 503 }),
    );
    const samples = samplesIn(await sidecar.metrics());
    const of = (name: string, more = "") => samples.get(`${name}{${SERIES}${more}}`);
    expect([of("serin_grpc_outcomes_total", ',grpc_status="UNAVAILABLE"'), of("serin_rescued_total")]).toEqual([1, 1]);
    expect([of("serin_request_duration_seconds_count"), of("serin_first_byte_duration_seconds_count")]).toEqual([3, 3]);
    // Two attempts are two variants' time, and yet the user's.
    expect(of("serin_outcome_duration_seconds_count")).toBe(1);
    expect(of("serin_first_byte_duration_seconds_sum")).toBeCloseTo(0.012);
    expect(of("serin_request_duration_seconds_sum")).toBeCloseTo(0.027);
  });

  test("shows the share set beside the share seen, and how long decisions take", async ({ sidecar }) => {
    const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
    for (const user of users) await sidecar.process(requestHeaders({ "x-user-id": user }));
    const samples = samplesIn(await sidecar.metrics());
    expect(samples.get('serin_share_set_ratio{rollout="checkout",variant="canary"}')).toBe(0.5);
    const seen = samples.get('serin_share_seen_ratio{rollout="checkout",variant="canary"}') ?? 0;
    expect(samples.get('serin_share_seen_ratio{rollout="checkout",variant="stable"}')).toBeCloseTo(1 - seen);
    expect(seen * users.length).toBe(
      [...samples]
        .filter(([name]) => name.startsWith("serin_decisions_total") && name.includes('variant="canary"'))
        .reduce((sum, [, value]) => sum + value, 0),
    );
    expect(samples.get("serin_decision_duration_seconds_count")).toBe(3);
    expect([samples.get("serin_ext_proc_streams_total"), samples.get("serin_ext_proc_streams_open")]).toEqual([40, 0]);
  });

  test("names every metric that a sidecar has, with the words of the reference", async ({ sidecar }) => {
    const page = await sidecar.metrics();
    // Those need NATS, Envoy's statistics, or workers.
    const absent = /^serin_(nats|envoy|workers|rules_beat_age)/;
    const lacking = SIDECAR_FACTS.filter(({ name }) => !absent.test(name)).filter(
      ({ name, kind, meaning }) => !page.includes(`# HELP ${name} ${meaning}\n`) || !page.includes(`# TYPE ${name} ${kind}\n`),
    );
    expect(lacking.map(({ name }) => name)).toEqual([]);
  });
});

base("what there is no room for is one series in a scrape, and no evidence", () => {
  const cells = createCells({ nowMs: () => 0, runInForce: () => 1, maxCells: 1 });
  for (const rollout of ["a", "b", "c"]) cells.decided({ rollout, variant: "stable", run: 1, control: false }, "share");
  const asText = createPrometheusText();
  const page = [...cellMetricParts(cells.shown, () => 0)].map(asText).join("");
  expect(page).toContain('serin_decisions_total{otel_metric_overflow="true",reason="share"} 2\n');
  expect([...cells.all()].map(({ labels }) => labels.rollout)).toEqual(["a"]);
});

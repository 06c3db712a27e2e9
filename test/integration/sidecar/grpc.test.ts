import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { decidedFor, requestHeaders, startTestSidecar, type TestSidecar, variantOf, waitForVariant } from "../../support/sidecar.ts";

const rulesAt = (shareBp: number, revision = 1): string =>
  JSON.stringify({
    ...ruleSetOf({
      checkout: ruleOf(
        { variants: { stable: { cluster: "stable", tags: {} }, canary: { cluster: "canary", tags: { "x-serin-variant": "canary" } } } },
        { shareBp, run: 2 },
      ),
    }),
    revision,
  });

const entry = (variant: string, code: number, more: object = {}): object => ({
  commonProperties: {
    duration: { nanos: 9_000_000 },
    upstreamCluster: variant,
    upstreamRemoteAddress: { socketAddress: { address: "127.0.0.1", portValue: 1 } },
    upstreamRequestAttemptCount: 1,
    metadata: {
      filterMetadata: {
        serin: {
          fields: {
            variant: { stringValue: variant },
            rollout: { stringValue: "checkout" },
            run: { stringValue: "2" },
            control: { stringValue: "false" },
            cluster: { stringValue: variant },
          },
        },
      },
    },
    ...more,
  },
  response: { responseCode: { value: code } },
});

describe.each([
  { over: "a Unix socket", extProc: undefined },
  { over: "TCP", extProc: "127.0.0.1:0" },
])("a sidecar with a rules file, over $over", ({ extProc }) => {
  let sidecar: TestSidecar;
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "serin-rules-"));
    file = join(directory, "rules.json");
    await writeFile(file, rulesAt(10_000));
    sidecar = await startTestSidecar({ source: { file }, ...(extProc === undefined ? {} : { extProc }) });
  });
  afterEach(async () => {
    await sidecar.stop();
    await rm(directory, { recursive: true });
  });

  test("answers every message of a stream exactly once, each in its kind, and ends when Envoy ends", async () => {
    const answers = await sidecar.process(
      requestHeaders({ "x-user-id": "u1" }),
      { requestBody: { body: Buffer.from("a") } },
      { requestTrailers: {} },
      { responseHeaders: {} },
      { responseBody: {} },
      { responseTrailers: {} },
    );
    expect(answers.map(({ response }) => response)).toEqual([
      "requestHeaders",
      "requestBody",
      "requestTrailers",
      "responseHeaders",
      "responseBody",
      "responseTrailers",
    ]);
    expect(variantOf(answers[0])).toBe("canary");
    expect(Object(answers[0]).requestHeaders.response).toMatchObject({
      clearRouteCache: true,
      headerMutation: { setHeaders: [{ header: { key: "x-serin-variant" }, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" }] },
    });
  });

  test("obeys the file's next content, and keeps the last good rules when that is broken", async () => {
    expect(await decidedFor(sidecar, "u1")).toBe("canary");
    await writeFile(file, rulesAt(0, 2));
    await waitForVariant(sidecar, "u1", "stable");
    await writeFile(file, "{ broken");
    await waitFor(async () => Number((await sidecar.ready()).body["rejected"]) > 0, { deadlineMs: 10_000, what: "the file to be refused" });
    expect(await decidedFor(sidecar, "u1")).toBe("stable");
    expect(await sidecar.ready()).toMatchObject({ status: 200, body: { revision: 2, state: "ok" } });
  });

  test("counts decisions and outcomes, and shows them as Prometheus metrics", async () => {
    await sidecar.process(requestHeaders({ "x-user-id": "u1" }));
    await sidecar.log(
      entry("canary", 200),
      entry("canary", 503),
      entry("stable", 200, { metadata: {} }),
      entry("canary", 200, { upstreamCluster: "stable" }),
    );
    const text = await sidecar.metrics();
    const series = text.split("\n").filter((line) => /^serin_(decisions|outcomes|failed_open|cluster_missing)_total/.test(line));
    expect(series.toSorted()).toEqual([
      'serin_cluster_missing_total{rollout="checkout",variant="canary",run="2",control="false"} 1',
      'serin_decisions_total{rollout="checkout",variant="canary",run="2",control="false",reason="share"} 1',
      "serin_failed_open_total 1",
      'serin_outcomes_total{rollout="checkout",variant="canary",run="2",control="false",class="failed"} 1',
      'serin_outcomes_total{rollout="checkout",variant="canary",run="2",control="false",class="ok"} 1',
    ]);
    expect(text).toContain(
      'serin_outcome_duration_seconds_bucket{rollout="checkout",variant="canary",run="2",control="false",le="0.01"} 2',
    );
  });

  test("is healthy once it serves", async () => {
    expect(await sidecar.health()).toBe("SERVING");
    expect((await fetch(`${sidecar.metricsUrl}/healthz`)).status).toBe(200);
    expect((await fetch(`${sidecar.metricsUrl}/nothing`)).status).toBe(404);
  });
});

test("a sidecar that drains says so, answers on, and is gone when the time is over", async () => {
  const directory = await mkdtemp(join(tmpdir(), "serin-rules-"));
  const file = join(directory, "rules.json");
  await writeFile(file, rulesAt(10_000));
  const sidecar = await startTestSidecar({ source: { file }, drainMs: 700 });
  const { process, health, ready } = sidecar;
  const stopping = sidecar.beginStop();
  await waitFor(async () => (await ready()).status === 503, { deadlineMs: 5_000, what: "readiness to end" });
  expect(await health()).toBe("NOT_SERVING");
  expect(variantOf((await process(requestHeaders({ "x-user-id": "u1" })))[0])).toBe("canary");
  await stopping;
  await expect(fetch(`${sidecar.metricsUrl}/readyz`)).rejects.toThrow("fetch failed");
  await rm(directory, { recursive: true });
});

test("a socket on which another sidecar listens is refused, and the other goes on", async () => {
  const directory = await mkdtemp(join(tmpdir(), "serin-rules-"));
  const file = join(directory, "rules.json");
  await writeFile(file, rulesAt(10_000));
  const first = await startTestSidecar({ source: { file } });
  const path = join(first.directory, "s.sock");
  await expect(startTestSidecar({ source: { file }, extProc: `unix:${path}` })).rejects.toThrow(`another process listens on ${path}`);
  expect(await decidedFor(first, "u1")).toBe("canary");
  await first.stop();
  await rm(directory, { recursive: true });
});

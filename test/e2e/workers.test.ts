import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { type RunningProcess, startProcess } from "../../src/demo/processes.ts";
import { startUpstream } from "../../src/demo/upstreams.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { ruleOf, ruleSetOf } from "../support/decide-inputs.ts";
import { patient } from "../support/edge-config.ts";
import { FAILED_OPEN_STAT, type RunningEnvoy, startEnvoy } from "../support/envoy.ts";
import { type OtlpCollector, startOtlpCollector } from "../support/otlp-collector.ts";

const run = promisify(execFile);

interface Workers {
  readonly process: RunningProcess;
  readonly metricsUrl: string;
  readonly sockets: readonly string[];
}

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

/** A collector to which all that is started from now on sends. */
async function collected(): Promise<OtlpCollector> {
  const collector = await startOtlpCollector();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url);
  // A worker that is killed takes with it what it has not sent.
  vi.stubEnv("OTEL_BSP_SCHEDULE_DELAY", "100");
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await collector.stop();
  });
  return collector;
}

/** Who sent such messages that hold this text, of those given. */
const sendersOf = ({ received }: OtlpCollector, path: string, text: string, ids: readonly string[]): string[] => {
  const bodies = received.filter((each) => each.path === path && each.body.includes(text)).map(({ body }) => body);
  // An id as OTLP has it: as long as it is, so that no other begins with it.
  return ids.filter((id) => bodies.some((body) => body.includes(`${String.fromCharCode(id.length)}${id}`)));
};

/** `serin sidecar --workers 2` on sockets in the directory. */
async function startWorkers(directory: string): Promise<Workers> {
  const rules = join(directory, "rules.json");
  await writeFile(rules, JSON.stringify(ruleSetOf({ checkout: ruleOf({}, { shareBp: 5_000 }) })));
  let firstLine: string | undefined;
  const started = await startProcess({
    name: "workers",
    program: process.execPath,
    args: [
      ...[join(packageRoot(), "dist", "bin", "serin.js"), "sidecar", "--workers", "2", "--id", "edge", "--json"],
      ...["--ext-proc", `unix:${join(directory, "s.sock")}`, "--metrics", "127.0.0.1:0", "--rules", rules, "--drain", "1500ms"],
    ],
    onLine: (line, from) => {
      if (from === "stdout") firstLine ??= line;
    },
  });
  onTestFinished(async () => void (await started.stop()));
  const said = JSON.parse(await waitFor(() => firstLine, { deadlineMs: 20_000, what: `workers to serve: ${started.output()}` }));
  return { process: started, metricsUrl: said.metrics, sockets: said.workers.map(({ extProc }: { extProc: string }) => extProc) };
}

const childrenOf = async (pid: number): Promise<number[]> =>
  // pgrep ends with 1 when it finds none.
  (await run("pgrep", ["-P", String(pid)]).catch(() => ({ stdout: "" }))).stdout.split("\n").filter(Boolean).map(Number);

/** Sum of a counter over its series. */
async function total(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

async function ask(envoy: RunningEnvoy, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let asked = 0; asked < count; asked += 1) {
    // Requests of one connection would do too: Envoy chooses a worker for each.
    const response = await fetch(envoy.url, { headers: { "x-user-id": `u${asked}`, traceparent: `00-${TRACE}-00f067aa0ba902b7-01` } });
    await response.text();
    statuses.push(response.status);
  }
  return statuses;
}

test("two workers serve as one sidecar: both decide and tell the traces of what they decided, one set of metrics, a killed one comes back, and a stop leaves nobody", async () => {
  const directory = await mkdtemp(join(tmpdir(), "serin-w-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const collector = await collected();
  const workers = await startWorkers(directory);
  expect(workers.sockets).toEqual([0, 1].map((index) => `unix:${join(directory, `s-${index}.sock`)}`));
  const [stable, canary] = await Promise.all([startUpstream("stable"), startUpstream("canary")]);
  onTestFinished(async () => void (await Promise.all([stable.stop(), canary.stop()])));
  const envoy = await startEnvoy({ sidecars: workers.sockets, stable: stable.address, canary: canary.address, change: patient });
  onTestFinished(async () => void (await envoy.stop()));

  await ask(envoy, 100);
  expect(await total(workers.metricsUrl, "serin_decisions_total")).toBe(100);
  expect([stable.seen.requests + canary.seen.requests, canary.seen.requests > 10]).toEqual([100, true]);
  // 0.2 s is the longest that Envoy holds outcomes back.
  await waitFor(async () => (await total(workers.metricsUrl, "serin_outcomes_total")) === 100 || undefined, {
    deadlineMs: 10_000,
    what: "all outcomes to be counted",
  });

  await waitFor(() => sendersOf(collector, "/v1/traces", "serin decide", ["edge-0", "edge-1"])[1], {
    deadlineMs: 10_000,
    what: "spans of both workers",
  });
  const before = await childrenOf(workers.process.pid);
  expect(before).toHaveLength(2);
  process.kill(before[0] ?? 0, "SIGKILL");
  expect(new Set(await ask(envoy, 100))).toEqual(new Set([200]));
  await waitFor(async () => ((await total(workers.metricsUrl, "serin_workers")) === 2 ? true : undefined), {
    deadlineMs: 20_000,
    what: "the worker to come back",
  });
  expect(await total(workers.metricsUrl, "serin_workers_restarted_total")).toBe(1);
  // What the killed worker had counted since it was last asked is gone; what was shown never falls.
  expect(await total(workers.metricsUrl, "serin_decisions_total")).toBeGreaterThanOrEqual(100);
  expect((await fetch(`${workers.metricsUrl}/readyz`)).status).toBe(200);

  const after = await childrenOf(workers.process.pid);
  const failedOpen = await envoy.stat(FAILED_OPEN_STAT);
  expect(failedOpen).toBeLessThan(100);
  expect(await workers.process.stop(15_000)).toEqual({ code: 0, signal: null });
  const ids = ["edge", "edge-0", "edge-1"];
  for (const text of [Buffer.from(TRACE, "hex").toString("latin1"), "feature_flag.result.variant"])
    expect(sendersOf(collector, "/v1/traces", text, ids)).toEqual(["edge-0", "edge-1"]);
  expect(sendersOf(collector, "/v1/metrics", "serin_decisions_total", ids)).toEqual(["edge"]);
  for (const pid of after) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});

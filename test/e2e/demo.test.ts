import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { runAct } from "../../src/demo/act.ts";
import { resultOf } from "../../src/demo/act-result.ts";
import { FAILED_OPEN_STAT } from "../../src/demo/envoy.ts";
import { PACE } from "../../src/demo/pace.ts";
import { startProcess } from "../../src/demo/processes.ts";
import { createShareLog, followShares } from "../../src/demo/share-log.ts";
import { stopAll } from "../../src/demo/stop-all.ts";
import { type SeenRequest, startTraffic } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import { connect, startStack } from "../support/stack.ts";

const SHOWS_PROCESSES = existsSync("/proc/self/cmdline");

test("an act counts what its users saw, and a canary that fails is taken back in it", async () => {
  const stack = await startStack();
  const stops: (() => unknown)[] = [stack.stop];
  onTestFinished(() => stopAll(stops));
  const link = await connect(stack);
  stops.push(link.close);
  const shares = createShareLog(stack.sidecarIds);
  const problems: unknown[] = [];
  stops.push(followShares(link, shares, (error) => problems.push(error)));
  const requests: SeenRequest[] = [];
  const traffic = startTraffic({
    port: stack.envoy.port,
    host: "pay.example",
    path: "/",
    users: 1_000,
    perSecond: PACE.least,
    onRequest: (request) => requests.push(request),
  });
  stops.push(traffic.stop);
  const screen = { say: () => undefined, draw: () => undefined };
  const failedOpen = () => stack.envoy.stat(FAILED_OPEN_STAT);
  const act = await runAct(
    { title: "act", name: "act", host: "pay.example", fault: { atShareBp: 100, afterMs: 500, part: 1 }, leastRequests: 0 },
    { stack, link, shares, traffic, requests, failedOpen, screen, busyPercent: () => 0, signal: new AbortController().signal },
  );
  const counted = resultOf(act, plainVariant);
  expect(counted).toMatchObject({ outcome: "rolledBack", stages: [{ shareSet: 100 }, { shareSet: 0, shareSeen: 0 }] });
  // Every failure of the canary was made good by stable.
  expect(counted.failedRequests).toBe(0);
  expect(counted.rescued).toBe(stack.canary.seen.failed);
  expect(counted.rescued).toBeGreaterThan(0);
  expect(counted.movedBack).toBe(0);
  // Whoever was misrouted went on undecided, as Envoy says itself: on a machine at its limit that may happen.
  expect(counted.misrouted).toBeLessThanOrEqual(counted.failedOpen);
  expect(resultOf(act, (_salt, key, shareBp) => plainVariant("another salt", key, shareBp)).misrouted).toBeGreaterThan(counted.misrouted);
  expect(problems).toEqual([]);
});

test("the demo stopped by Ctrl-C leaves no process and no file behind", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sd-"));
  const known = Object.entries({ ...process.env, TMPDIR: directory });
  const env = Object.fromEntries(known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const lines: string[] = [];
  const demo = await startProcess({
    name: "demo",
    program: process.execPath,
    args: [join(packageRoot(), "dist", "bin", "serin.js"), "demo", "--json"],
    env,
    onLine: (line) => lines.push(line),
  });
  onTestFinished(async () => void (await demo.stop()));
  await waitFor(() => lines.some((line) => line.includes("stage 1 of")), { deadlineMs: 60_000, what: "the first stage" });
  expect((await programsIn(directory)).length > 3 || !SHOWS_PROCESSES).toBe(true);
  // As a terminal does it: to the whole group that it started.
  process.kill(-demo.pid, "SIGINT");
  expect((await demo.ended).code).toBe(1);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ error: { code: "STOPPED" } });
  expect(await programsIn(directory)).toEqual([]);
  expect(await readdir(directory)).toEqual([]);
  await rm(directory, { recursive: true });
});

/** Command lines of running programs that name a directory, where the system shows them as files. */
async function programsIn(directory: string): Promise<string[]> {
  if (!SHOWS_PROCESSES) return [];
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => ""))); // ended meanwhile
  return lines.filter((line) => line.includes(directory));
}

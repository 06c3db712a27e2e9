import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { METRICS } from "../../src/contract/names.ts";
import { stopAll } from "../../src/demo/stop-all.ts";
import { startUpstream } from "../../src/demo/upstreams.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { RunningSidecar } from "../../src/sidecar/sidecar.ts";
import { ruleOf, ruleSetOf } from "../support/decide-inputs.ts";
import { LOGS_STAT, startEnvoy } from "../support/envoy.ts";
import { startTestSidecar } from "../support/sidecar.ts";
import { startLoad, waitForRequests } from "../support/stack.ts";

const PER_SECOND = 200;

/** Requests of which a sidecar has heard that they ended, also after its own end: outcomes, and what went undecided on a busy machine. */
const endedBy = (sidecar: Pick<RunningSidecar, "collect">): number =>
  [...sidecar.collect()]
    .filter(({ descriptor: { name } }) => name === METRICS.outcomes || name === METRICS.failedOpen)
    .flatMap(({ dataPoints }) => dataPoints.map(({ value }) => Number(value)))
    .reduce((sum, value) => sum + value, 0);

test("two sidecars deployed anew under load, one after the other: each request's end is counted, once, by one of the four", async () => {
  const stops: (() => unknown)[] = [];
  onTestFinished(() => stopAll(stops));
  const directory = await mkdtemp(join(tmpdir(), "serin-od-"));
  stops.push(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "rules.json");
  await writeFile(file, JSON.stringify(ruleSetOf({ checkout: ruleOf() })));
  const [stable, canary] = await Promise.all([startUpstream("stable"), startUpstream("canary")]);
  stops.push(stable.stop, canary.stop);

  const addresses = ["s0", "s1"].map((name) => `unix:${join(directory, `${name}.sock`)}`);
  const start = async (id: string, extProc: string) => {
    const sidecar = await startTestSidecar({ id, extProc, source: { file }, drainMs: 2_500 });
    stops.push(sidecar.stop);
    return sidecar;
  };
  const sidecars = await Promise.all(addresses.map((address, index) => start(`before-${index}`, address)));
  // Each entry by itself and at once: then there is one on its way at nearly any moment.
  const change = (shipped: string): string => shipped.replace("buffer_size_bytes: 65536", "buffer_size_bytes: 1");
  const envoy = await startEnvoy({ stable: stable.address, canary: canary.address, sidecars: addresses, change });
  stops.push(envoy.stop);
  const healthy = (count: number) =>
    waitFor(async () => (await envoy.stat("cluster.serin.membership_healthy")) === count, {
      deadlineMs: 20_000,
      what: `Envoy to find ${count} sidecars healthy`,
    });
  await healthy(2);

  const load = startLoad({ envoy }, PER_SECOND);
  stops.push(load.stop);
  await waitForRequests(load, 200);
  for (const [index, address] of addresses.entries()) {
    await sidecars[index]?.stop();
    sidecars.push(await start(`after-${index}`, address));
    await healthy(2);
    await waitForRequests(load, 100);
  }
  await load.stop();

  const counted = (): number => sidecars.reduce((sum, sidecar) => sum + endedBy(sidecar), 0);
  await waitFor(() => counted() >= load.seen.length, { deadlineMs: 10_000, what: "all outcomes" });
  expect(counted()).toBe(load.seen.length);
  // Envoy keeps to one stream as long as it lasts: it has moved at least once.
  expect(sidecars.filter((sidecar) => endedBy(sidecar) > 0).length).toBeGreaterThan(1);
  expect(await envoy.stat(`${LOGS_STAT}.logs_dropped`)).toBe(0);
});

import { expect, onTestFinished, test } from "vitest";
import { stopAll } from "../../src/demo/stop-all.ts";
import { startUpstream } from "../../src/demo/upstreams.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { startEdge } from "../support/edge.ts";
import { FAILED_OPEN_STAT } from "../support/envoy.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import { startLoad, waitForRequests } from "../support/stack.ts";

const SHARE_BP = 5_000;
const GRACE_MS = 10_000;
/** Low enough that a new process can start on the cores that the others leave. */
const PER_SECOND = 200;

/** Users who never stop asking, half of them on the canary, and so many sidecars. */
async function underLoad(sockets: number) {
  const stops: (() => unknown)[] = [];
  onTestFinished(() => stopAll(stops));
  const [stable, canary] = await Promise.all([startUpstream("stable"), startUpstream("canary")]);
  stops.push(stable.stop, canary.stop);
  const edge = await startEdge({
    stable: stable.address,
    canary: canary.address,
    shareBp: SHARE_BP,
    sidecars: sockets,
    timeouts: "shipped",
  });
  stops.push(edge.stop);
  const load = startLoad(edge, PER_SECOND);
  stops.push(load.stop);
  await waitForRequests(load, 100);
  const failedOpen = (): Promise<number> => edge.envoy.stat(FAILED_OPEN_STAT);
  return {
    edge,
    load,
    failedOpen,
    async restart(index: number): Promise<void> {
      expect(await edge.sidecar(index).stop(GRACE_MS)).toEqual({ code: 0, signal: null });
      await edge.startSidecar(index);
      await edge.waitForHealthy(sockets);
      await waitForRequests(load, 50);
    },
    /** Stops sending, and counts. */
    async counted() {
      await load.stop();
      return {
        failed: load.seen.filter(({ status }) => status !== 200).length,
        misrouted: load.seen.filter(({ user, seen }) => seen !== plainVariant("edge", user, SHARE_BP)).length,
        failedOpen: await failedOpen(),
      };
    },
  };
}

const NOTHING = { failed: 0, misrouted: 0, failedOpen: 0 };

test("two sidecars deployed anew, one after the other: no request fails or goes undecided, and each user keeps their variant", async () => {
  const { restart, counted } = await underLoad(2);
  await restart(0);
  await restart(1);
  expect(await counted()).toEqual(NOTHING);
});

test("one of two drained for good: the other decides every request", async () => {
  const { edge, load, counted } = await underLoad(2);
  expect(await edge.sidecar(1).stop(GRACE_MS)).toEqual({ code: 0, signal: null });
  await waitForRequests(load, 400);
  expect(await counted()).toEqual(NOTHING);
});

test("one of two killed in mid-work: no request fails, and only what went undecided saw another variant", async () => {
  const { edge, load, counted } = await underLoad(2);
  await edge.sidecar(0).kill();
  await waitForRequests(load, 400);
  const { failed, misrouted, failedOpen } = await counted();
  expect(failed).toBe(0);
  expect(misrouted).toBeLessThanOrEqual(failedOpen);
});

test("the only sidecar deployed anew: no request fails; those of the gap go undecided to stable and are counted", async () => {
  const { edge, load, failedOpen, counted } = await underLoad(1);
  expect(await edge.sidecar(0).stop(GRACE_MS)).toEqual({ code: 0, signal: null });
  await waitFor(async () => (await failedOpen()) > 20, { deadlineMs: 10_000, what: "requests of the gap" });
  await edge.startSidecar(0);
  await edge.waitForHealthy(1);
  const inGap = await failedOpen();
  const servedAgainMs = Date.now();
  await waitForRequests(load, 100);
  const { failed, misrouted, failedOpen: all } = await counted();
  expect(failed).toBe(0);
  expect(misrouted).toBeGreaterThan(0);
  expect(misrouted).toBeLessThanOrEqual(all);
  // Once Envoy has found the new one, users are where they belong again.
  const after = load.seen.filter(({ startMs }) => startMs > servedAgainMs);
  expect(after.length).toBeGreaterThan(50);
  expect(after.filter(({ user, seen }) => seen !== plainVariant("edge", user, SHARE_BP)).length).toBeLessThanOrEqual(all - inGap);
});

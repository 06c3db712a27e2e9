import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SUBJECTS } from "../../src/contract/names.ts";
import type { SeenRequest } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { FAILED_OPEN_STAT } from "../support/envoy.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import {
  applyRollout,
  askAll,
  connect,
  hasBegun,
  heldAt,
  rolloutOf,
  type Stack,
  startLoad,
  startStack,
  users,
  waitForLive,
  waitForReceipt,
  waitForRequests,
} from "../support/stack.ts";

const expected = (user: string): string => plainVariant("keeps-on", user, 5_000);

describe("with half of the users on the canary", () => {
  let stack: Stack;
  let link: NatsLink;
  beforeAll(async () => {
    stack = await startStack({ envoyChange: (shipped) => shipped });
    link = await connect(stack);
    await applyRollout(stack, rolloutOf("keeps-on", heldAt("50%")));
    await waitForLive(link, "keeps-on", hasBegun);
  });
  afterAll(async () => {
    await link.close();
    await stack.stop();
  });
  beforeEach(async () => {
    for (const index of [0, 1]) if (!stack.sidecar(index).isRunning()) await stack.startSidecar(index);
    await waitFor(async () => ((await stack.envoy.stat("cluster.serin.membership_healthy")) === 2 ? true : undefined), {
      deadlineMs: 20_000,
      what: "both sidecars to be healthy",
    });
  });

  /**
   * What users see, each decided: as Envoy is shipped, a decision that a busy machine makes too late lets a request go undecided to
   * stable, which Envoy counts; nobody else may see another variant, and nobody an error.
   */
  async function decided(all: readonly string[]): Promise<SeenRequest[]> {
    for (let round = 1; ; round += 1) {
      const before = await stack.envoy.stat(FAILED_OPEN_STAT);
      const seen = await askAll(stack, all);
      const undecided = (await stack.envoy.stat(FAILED_OPEN_STAT)) - before;
      const wrong = seen.filter((one, index) => one.seen !== expected(all[index] ?? ""));
      expect([seen.filter(({ status }) => status !== 200), wrong.length <= undecided]).toEqual([[], true]);
      if (undecided === 0 || round === 5) return seen;
    }
  }

  test("a corrupt rule set in NATS leaves the last good rules in force, and the receipt says why", async () => {
    const told = waitForReceipt(link, ({ problem }) => problem !== undefined);
    await link.jetstream.publish(SUBJECTS.manifest, '{"format":1,"payload":"not a manifest"}');
    const receipt = await told;
    expect(receipt.problem).toBe("the manifest's payload is not JSON");
    expect(receipt.rejected).toBeGreaterThan(0);
    const seen = await decided(users(40));
    expect(seen.map((one) => one.seen)).toEqual(users(40).map(expected));
  });

  test("NATS may die: every user goes on seeing their own variant", async () => {
    await stack.nats.kill();
    const seen = await decided(users(60));
    expect(seen.map((one) => one.seen)).toEqual(users(60).map(expected));
    await stack.nats.restart();
    await waitForLive(link, "keeps-on", hasBegun);
  });

  test("a sidecar that hangs fails no request: its own go undecided, until Envoy's checks of health leave it out", async () => {
    const load = startLoad(stack, 100);
    await waitForRequests(load, 50);
    const before = await stack.envoy.stat(FAILED_OPEN_STAT);
    stack.sidecar(0).freeze();
    await waitFor(async () => ((await stack.envoy.stat("cluster.serin.membership_healthy")) === 1 ? true : undefined), {
      deadlineMs: 20_000,
      what: "the hanging sidecar to be left out",
    });
    expect(await stack.envoy.stat(FAILED_OPEN_STAT)).toBeGreaterThan(before);
    await waitForRequests(load, 100);
    stack.sidecar(0).resume();
    await waitForRequests(load, 50);
    await load.stop();
    expect(load.seen.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(load.seen.map((one) => one.seen))).toEqual(new Set(["stable", "canary"]));
  });

  test("with both sidecars killed under load, every request is answered, and by stable", async () => {
    const load = startLoad(stack, 200);
    await waitForRequests(load, 200);
    await Promise.all([stack.sidecar(0).kill(), stack.sidecar(1).kill()]);
    const killedMs = Date.now();
    await waitForRequests(load, 400);
    await load.stop();
    expect(load.seen.filter(({ status }) => status !== 200)).toEqual([]);
    const after = load.seen.filter(({ startMs }) => startMs > killedMs);
    expect(after.length).toBeGreaterThan(200);
    expect(after.filter(({ seen }) => seen !== "stable")).toEqual([]);
    expect(load.seen.some(({ seen }) => seen === "canary")).toBe(true);
  });
});

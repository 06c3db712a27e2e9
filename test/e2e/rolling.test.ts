import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import { readDocuments } from "../../src/io/documents.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import {
  applyRollout,
  connect,
  HOST,
  type Load,
  type Stack,
  startLoad,
  startStack,
  waitForLive,
  waitForRequests,
} from "../support/stack.ts";

/** Two sidecars in the north, one in the south, behind one Envoy. */
const zoneOf = (index: number): string => (index < 2 ? "north" : "south");

let stack: Stack;
let link: NatsLink;
let load: Load | undefined;
beforeAll(async () => {
  stack = await startStack({ sidecars: 3, sidecarArgsOf: (index) => ["--label", `zone=${zoneOf(index)}`] });
  link = await connect(stack);
});
afterAll(async () => {
  await load?.stop();
  await link.close();
  await stack.stop();
});

async function example(): Promise<RolloutInput> {
  const text = await readFile(join(packageRoot(), "docs", "examples", "rolling.yaml"), "utf8");
  const [found] = readDocuments(text, "rolling.yaml").rollouts;
  if (found === undefined) throw new Error("the example holds no rollout");
  return {
    ...found.written,
    match: { hosts: [HOST] },
    strategy: { type: "rolling", by: "zone", order: ["south"], share: "50%", minTime: "2s", minSample: 50 },
    checks: { errors: { maxIncrease: "20%" }, latency: { maxIncrease: "50%" } },
  };
}

/** Part of the next requests that the canary answers: so many that chance moves it by less than 0.08, but for once in a million times. */
async function partOnCanary(of: Load): Promise<number> {
  const fromMs = Date.now();
  await waitForRequests(of, 1_000);
  const since = of.seen.filter(({ startMs }) => startMs > fromMs);
  return since.filter(({ seen }) => seen === "canary").length / since.length;
}

test("zones get the new version one after the other; an unhealthy one goes back alone, and waits for a person", async () => {
  // As long as nobody asks for anything no group has its sample, and so none goes on.
  await applyRollout(stack, await example());
  await waitForLive(link, "stock", ({ plan }) => plan.phase === "group" && plan.group === 0 && plan.begunAtMs !== null);
  expect((await stack.serin("status", "stock")).out).toContain("stock: group 1 of 2, south");
  const asked = ["explain", "--host", HOST, "--path", "/", "--header", "x-user-id=ann"];
  expect((await stack.serin(...asked, "--label", "zone=north")).out).toContain("a share of 0 % (the new version is on at zone=south)");
  expect((await stack.serin(...asked, "--label", "zone=south")).out).toContain("a share of 50 % (the new version is on at zone=south)");

  load = startLoad(stack, 250);
  await waitForLive(link, "stock", ({ plan }) => plan.phase === "group" && plan.group === 1 && plan.begunAtMs !== null, 90_000);
  const inBoth = await partOnCanary(load);
  expect([inBoth > 0.4, inBoth < 0.6]).toEqual([true, true]);

  stack.canary.failPart(0.5);
  const paused = await waitForLive(link, "stock", ({ plan }) => plan.phase === "paused");
  stack.canary.failPart(0);
  expect(paused.plan).toMatchObject({ from: "group", group: 0, groups: ["south", "north"], firstRun: paused.plan.run });
  expect(paused.plan).toHaveProperty("reason", expect.stringContaining("zone north, group 2 of 2 went back to stable: "));
  const inSouth = await partOnCanary(load);
  expect([inSouth > 0.08, inSouth < 0.27]).toEqual([true, true]);

  await load.stop();
  await stack.serin("resume", "stock");
  await waitForLive(link, "stock", ({ plan }) => plan.phase === "group" && plan.group === 0);
  await stack.serin("promote", "stock", "--full");
  await waitForLive(link, "stock", ({ plan }) => plan.phase === "promoted");
  load = startLoad(stack, 250);
  expect(await partOnCanary(load)).toBe(1);
});

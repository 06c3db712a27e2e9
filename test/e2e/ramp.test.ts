import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import { startTraffic, type Traffic } from "../../src/demo/traffic.ts";
import { readDocuments } from "../../src/io/documents.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { applyRollout, auditOf, connect, type Stack, startStack, waitForLive } from "../support/stack.ts";

let stack: Stack;
let link: NatsLink;
beforeAll(async () => {
  stack = await startStack();
  link = await connect(stack);
});
afterAll(async () => {
  await link.close();
  await stack.stop();
});

let traffic: Traffic;
beforeEach(() => {
  const { port } = stack.envoy;
  traffic = startTraffic({ port, host: "pay.example", path: "/", users: 1_000, perSecond: 250, onRequest: () => undefined });
});
afterEach(() => traffic.stop());

/** The example with times for a test, and tolerant, so that small samples suffice. */
async function example(name: string): Promise<RolloutInput> {
  const text = await readFile(join(packageRoot(), "docs", "examples", "ramp.yaml"), "utf8");
  const [found] = readDocuments(text, "ramp.yaml").rollouts;
  if (found === undefined) throw new Error("the example holds no rollout");
  return {
    ...found.written,
    name,
    strategy: { type: "canary", ramp: { start: "1%", minTime: "5s", holdback: { time: "12s" } } },
    checks: { errors: { maxIncrease: "20%", proof: "5%" }, latency: { maxIncrease: "50%" } },
  };
}

test("a good canary grows by itself, and past the holdback everyone gets it; a person may shorten the ramp", async () => {
  await applyRollout(stack, await example("good"));
  const { plan: begun } = await waitForLive(link, "good", ({ plan, shareBp }) => plan.phase === "ramp" && shareBp > 100, 60_000);
  // A new run for a new share, at most 2.5 times the one before.
  const [first, grown] = (await auditOf(link, "good")).filter(({ action }) => action === "ramp");
  expect([first?.run, first?.shareBp, grown?.run]).toEqual([begun.firstRun + 1, 100, begun.firstRun + 2]);
  expect([Number(grown?.shareBp) > 100, Number(grown?.shareBp) <= 250]).toEqual([true, true]);
  expect((await stack.serin("status", "good")).out).toMatch(/good: ramp at [\d.]+ %[^\n]*, for /);
  // The proof for everybody takes minutes of traffic.
  await stack.serin("promote", "good");
  const held = await waitForLive(link, "good", ({ plan }) => plan.phase === "holdback" && plan.begunAtMs !== null);
  expect(held.shareBp).toBe(9_500);
  expect((await stack.serin("status", "good")).out).toMatch(/good: holdback at 95 %, 5 % stay on stable until \d\d:\d\d UTC, for /);
  const promoted = await waitForLive(link, "good", ({ plan }) => plan.phase === "promoted");
  expect(promoted.shareBp).toBe(10_000);
  const begunAtMs = held.plan.phase === "holdback" ? Number(held.plan.begunAtMs) : Number.NaN;
  expect(promoted.plan.sinceMs - begunAtMs).toBeGreaterThanOrEqual(12_000);
  await stack.serin("abort", "good");
  await waitForLive(link, "good", ({ plan }) => plan.phase === "rolledBack");
});

test("a canary that fails goes back from its first share, before many have met it", async () => {
  stack.canary.reset();
  stack.canary.failPart(1);
  await applyRollout(stack, await example("bad"));
  const back = await waitForLive(link, "bad", ({ plan }) => plan.phase === "rolledBack");
  expect(back.plan).toMatchObject({ reason: expect.stringContaining("100 % on canary against 0 % on stable") });
  // Shares served before: 0, and the first.
  expect(back.plan.run - back.plan.firstRun).toBe(2);
  expect(stack.canary.seen.failed).toBeGreaterThan(0);
  expect(stack.canary.seen.failed).toBeLessThan(100);
  stack.canary.failPart(0);
});

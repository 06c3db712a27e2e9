import { join } from "node:path";
import process from "node:process";
import { test as base, expect, inject } from "vitest";
import { z } from "zod";
import { startEnvoy } from "../../src/demo/envoy.ts";
import { startProcess } from "../../src/demo/processes.ts";
import { stopAll } from "../../src/demo/stop-all.ts";
import { sendRequest } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { listAudit, readFleet } from "../../src/io/store.ts";
import { startCuttable } from "../integration/controller/cuttable.ts";
import { patient } from "../support/edge-config.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import { applyRollout, auditOf, connect, HOST, hasBegun, heldAt, rolloutOf, startStack, users, waitForLive } from "../support/stack.ts";

/** Two sidecars behind one Envoy, and a third with an Envoy of its own, whose link to NATS can be frozen. */
async function startThree(stops: (() => Promise<unknown>)[]) {
  const stack = await startStack();
  stops.push(stack.stop);
  const relay = await startCuttable(Number(new URL(stack.nats.url).port));
  stops.push(relay.close);
  const socket = `unix:${join(stack.directory, "third.sock")}`;
  const place = ["--ext-proc", socket, "--metrics", "127.0.0.1:0", "--nats", `nats://127.0.0.1:${relay.port}`];
  const bin = join(packageRoot(), "dist", "src", "bin", "serin.js");
  const third = await startProcess({ name: "third", program: process.execPath, args: [bin, "sidecar", "--id", "third", ...place] });
  stops.push(third.stop);
  const { stable, canary } = stack;
  const program = inject("envoyProgram");
  const envoy = await startEnvoy({ program, sidecars: [socket], stable: stable.address, canary: canary.address, change: patient });
  stops.push(envoy.stop);
  const link = await connect(stack);
  stops.push(link.close);
  return { stack, relay, link, ports: [stack.envoy.port, envoy.port] as const };
}

const test = base.extend<{ three: Awaited<ReturnType<typeof startThree>> }>({
  three: async ({}, use) => {
    const stops: (() => Promise<unknown>)[] = [];
    try {
      await use(await startThree(stops));
    } finally {
      await stopAll(stops);
    }
  },
});

const StatusSchema = z.object({
  rollouts: z.tuple([
    z.object({
      plan: z.object({ phase: z.string() }),
      stragglers: z.array(z.object({ sidecar: z.string(), sinceMs: z.number(), silentSinceMs: z.number().nullable() })),
    }),
  ]),
});

const NAME = "cut-off";
const user = users(200).find((each) => plainVariant(NAME, each, 5_000) === "canary") ?? "";

test("a sidecar that is cut off serves the canary until it goes home by itself, and the controller says that it knows it does not know", async ({
  three: { stack, relay, link, ports },
}) => {
  const seen = async (): Promise<unknown[]> =>
    Promise.all(ports.map(async (port) => (await sendRequest({ port, host: HOST, path: "/", user })).seen));
  const status = async () => StatusSchema.parse(JSON.parse((await stack.serin("status", NAME, "--json")).out)).rollouts[0];
  await applyRollout(stack, rolloutOf(NAME, heldAt("50%")));
  await waitForLive(link, NAME, hasBegun);
  await waitFor(async () => ((await seen()).join() === "canary,canary" ? true : undefined), {
    deadlineMs: 20_000,
    what: "both to see the canary",
  });

  relay.freeze();
  expect((await stack.serin("abort", NAME, "--reason", "wrong prices")).code).toBe(0);
  // Whom the controller reaches is on stable at once; who is cut off knows nothing of it.
  await waitFor(async () => ((await seen()).join() === "stable,canary" ? true : undefined), {
    deadlineMs: 10_000,
    what: "those whom it reaches to obey",
  });
  await waitForLive(link, NAME, ({ plan }) => plan.phase === "rollingBack" && plan.missing?.join() === "third");
  const waiting = await stack.serin("status", NAME);
  expect(waiting.out).toMatch(
    /not known what third .*serves: no word of the way back for \d+ s; a sidecar that hears nothing for 30s sends its shares to stable/,
  );

  await waitFor(async () => ((await seen()).join() === "stable,stable" ? true : undefined), {
    deadlineMs: 60_000,
    what: "third to go home",
  });
  await waitForLive(link, NAME, ({ plan }) => plan.phase === "rolledBack", 40_000);
  expect(await status()).toEqual({
    plan: { phase: "rolledBack" },
    stragglers: [{ sidecar: "third", sinceMs: expect.any(Number), silentSinceMs: expect.any(Number) }],
  });
  const { code, out } = await stack.serin("status", NAME);
  expect([code, out]).toEqual([3, expect.stringMatching(/not known what third \(silent for \d+ s\) serves/)]);
  expect((await auditOf(link, NAME)).at(-1)).toMatchObject({
    action: "rolledBack",
    reason: expect.stringContaining("without a word from third: nobody knows what is served there"),
  });

  relay.thaw();
  await waitForLive(link, NAME, ({ plan }) => plan.phase === "rolledBack" && plan.stragglers.length === 0);
  const last = await waitFor(async () => (await listAudit(link, NAME, 20)).findLast(({ action }) => action === "confirmed"), {
    deadlineMs: 10_000,
    what: "the audit of the late confirmation",
  });
  expect(last.reason).toBe("the way back, by third (or gone for good); nobody is left");
  expect((await status()).stragglers).toEqual([]);
});

test("a rollout that goes on without stragglers leaves the one behind that is cut off, and says so", async ({
  three: { stack, relay, link },
}) => {
  const knowsAll = async () => Object.keys((await readFleet(link))?.sidecars ?? {}).includes("third") || undefined;
  await waitFor(knowsAll, { deadlineMs: 20_000, what: "the controller to know third" });
  relay.freeze();
  await applyRollout(stack, { ...rolloutOf(NAME, heldAt("50%")), stragglers: { after: "3s", action: "goOn" } });
  const { plan } = await waitForLive(link, NAME, hasBegun, 60_000);
  expect(plan.without).toEqual(["third"]);
  expect((await stack.serin("status", NAME)).out).toMatch(/goes on without third/);
  const audit = (await auditOf(link, NAME)).find(({ action }) => action === "stage");
  expect(audit?.reason).toContain("without stragglers: third did not confirm run 1 within 3s");
});

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { listAudit } from "../../../src/io/store.ts";
import { serverThat } from "../../support/http-answers.ts";
import { type Ran, runWith } from "../../unit/cli/cli-parts.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

const NAME = "cart";
type Gate = NonNullable<RolloutInput["promotion"]>["gate"];

const gated = (gate: Gate, change: Partial<RolloutInput> = {}): RolloutInput =>
  documentOf(NAME, { strategy: { type: "canary", stages: [{ share: "50%", minTime: "1s", minSample: 50, gate }] }, ...change });

/** A leader that knows an operator's key and shows a page, one sidecar, and a rollout that waits at its gate. */
async function atItsGate(world: World, document: RolloutInput) {
  const directory = await mkdtemp(join(tmpdir(), "serin-gates-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const [pem, keys] = [join(directory, "operator.pem"), join(directory, "operators.pem")];
  await writeFile(pem, privateKey.export({ type: "pkcs8", format: "pem" }));
  await writeFile(keys, publicKey.export({ type: "spki", format: "pem" }));
  const leader = await world.leader("a", { operatorKeys: keys, http: "127.0.0.1:0" });
  const sidecar = await world.sidecar("side");
  await world.apply(document);
  await world.phase(NAME, "gate");
  let commands = 0;
  const serin = (...args: string[]): Promise<Ran> => {
    commands += 1;
    const id = `command-${commands}-${Date.now()}`;
    return runWith([...args, "--nats", world.server.url], { nowMs: Date.now, newId: () => id, user: "ann" });
  };
  const link = async (...args: string[]): Promise<string> => {
    const { code, out, error } = await serin("link", NAME, "--at", String(leader.httpUrl), "--sign-with", pem, ...args);
    expect([code, error]).toEqual([0, ""]);
    return out.trim();
  };
  return { serin, pem, link, sidecar };
}

const askFor = async (url: string, method: "GET" | "POST") => {
  const response = await fetch(url, { method });
  return { status: response.status, text: await response.text() };
};

describe("a gate with approvers", () => {
  test("is passed by a link once, which a look at it does not use", async ({ world }) => {
    const { serin, link } = await atItsGate(world, gated({ approvers: ["ann"] }));
    const claimed = await serin("promote", NAME);
    expect(claimed).toMatchObject({ code: 5, error: expect.stringContaining("nothing vouches for ann") });

    const url = await link("--for", "ann");
    expect(await askFor(url, "GET")).toMatchObject({ status: 200, text: expect.stringContaining("promote cart, run 2") });
    expect((await world.phase(NAME, "gate")).plan.run).toBe(2);
    expect(await askFor(url, "POST")).toMatchObject({ status: 200, text: expect.stringContaining("promote: cart is promoting") });
    await world.phase(NAME, "promoted");
    const lines = await waitFor("the audit tells who passed the gate", async () => {
      const found = (await listAudit(world.link, NAME, 20)).filter(({ action }) => action === "promoting");
      return found.length > 0 ? found : undefined;
    });
    expect(lines).toMatchObject([
      { who: { name: "ann", claimed: false }, reason: expect.stringContaining("passed by the operator: by a link") },
    ]);

    expect(await askFor(url, "POST")).toMatchObject({ status: 200, text: expect.stringContaining("promote: cart is promoting") });
    expect((await world.phase(NAME, "promoted")).plan.run).toBe(3);
  });

  test("is passed by a link that a freeze refused before, once that is over", async ({ world }) => {
    const { serin, link } = await atItsGate(world, gated({ approvers: ["ann"] }));
    const url = await link("--for", "ann");
    await serin("freeze", "--reason", "incident 12");
    expect(await askFor(url, "POST")).toMatchObject({ status: 409, text: expect.stringContaining("frozen by ann") });
    await serin("unfreeze");
    expect(await askFor(url, "POST")).toMatchObject({ status: 200, text: expect.stringContaining("promote: cart is promoting") });
    await world.phase(NAME, "promoted");
  });

  test("takes no link that is altered, expired, for somebody else, or for another run", async ({ world }) => {
    const { serin, link } = await atItsGate(world, gated({ approvers: ["ann"] }));
    const url = await link("--for", "ann");
    const [expired, others] = [await link("--for", "ann", "--expires", "1ms"), await link("--for", "bob")];
    expect(await askFor(url.slice(0, -9), "POST")).toMatchObject({ status: 403, text: expect.stringContaining("cut off or altered") });
    expect(await askFor(expired, "GET")).toMatchObject({ status: 403, text: expect.stringContaining("it held until") });
    expect(await askFor(others, "POST")).toMatchObject({ status: 409, text: expect.stringContaining("takes the word of ann, not of bob") });
    await serin("abort", NAME, "--reason", "not today");
    await world.phase(NAME, "rolledBack");
    expect(await askFor(url, "POST")).toMatchObject({
      status: 409,
      text: expect.stringContaining("the pass is for run 2 of cart, and run 3"),
    });
  });

  test("is passed by a signed command, and rejected by anyone's abort", async ({ world }) => {
    const { serin, pem } = await atItsGate(world, gated({ approvers: ["ann"] }));
    expect(await serin("promote", NAME, "--sign-with", pem, "--reason", "seen")).toMatchObject({ code: 0, error: "" });
    await world.phase(NAME, "promoted");
    expect(await serin("abort", NAME)).toMatchObject({ code: 0 });
    await world.phase(NAME, "rolledBack");
  });

  test("goes back while it waits when the canary begins to fail", async ({ world }) => {
    const { sidecar } = await atItsGate(world, gated({ approvers: ["ann"] }));
    sidecar.traffic.canaryFailed = 50;
    const { plan } = await world.phase(NAME, "rolledBack");
    expect(plan).toMatchObject({ reason: expect.stringContaining("errors") });
  });
});

test("a gate's webhook is asked until it passes the rollout", async ({ world }) => {
  const questions: unknown[] = [];
  const url = await serverThat((request, response) => {
    questions.push(JSON.parse(request.text));
    response.end(JSON.stringify({ verdict: "advance", reason: "the tests are green" }));
  });
  await world.leader("a");
  await world.sidecar("side");
  await world.apply(gated({ webhook: { url } }));
  await world.phase(NAME, "promoted");
  expect(questions).toMatchObject([{ check: "gate", rollout: NAME, run: 2, variant: "canary", shareBp: 5_000 }]);
  const line = await waitFor("the audit of it", async () =>
    (await listAudit(world.link, NAME, 20)).find(({ action }) => action === "promoting"),
  );
  expect(line.reason).toMatch(/^passed by its webhook: the tests are green; /);
});

test("a rollout tells what it has cost of what it may, and goes back when that is spent", async ({ world }) => {
  await world.leader("a");
  const sidecar = await world.sidecar("side");
  const serin = (...args: string[]): Promise<Ran> => runWith([...args, "--nats", world.server.url], { nowMs: Date.now });
  // Failures that the judge tolerates.
  sidecar.traffic.canaryFailed = 2;
  await world.apply(
    documentOf(NAME, {
      strategy: { type: "canary", stages: [{ share: "50%", minTime: "1h" }] },
      checks: { errors: { maxIncrease: "30%", proof: "40%" } },
      blastRadius: { failedRequests: 40 },
    }),
  );
  const { plan } = await world.phase(NAME, "rolledBack");
  expect(plan).toMatchObject({ reason: expect.stringMatching(/^its blast radius is spent: ([4-9]\d|1\d\d) of 40 failed requests$/) });
  const { rollouts } = JSON.parse((await serin("status", NAME, "--json")).out);
  expect(rollouts[0].blastRadius).toMatchObject({ allowed: { failedRequests: 40 }, spent: { failedRequests: expect.any(Number) } });
  expect((await serin("status", NAME)).out).toMatch(/\n {2}blast radius: \d+ of 40 failed requests\n/);
});

test("a rolled-back rollout is tried again, and a hand-over undone by the plan before", async ({ world }) => {
  await world.leader("a");
  const sidecar = await world.sidecar("side");
  const serin = (...args: string[]): Promise<Ran> => runWith([...args, "--nats", world.server.url], { newId: randomUUID });
  const plain = documentOf(NAME, { strategy: { type: "canary", stages: [{ share: "50%", minTime: "1s", minSample: 50 }] } });
  sidecar.traffic.canaryFailed = 50;
  await world.apply(plain);
  const { plan } = await world.phase(NAME, "rolledBack");
  sidecar.traffic.canaryFailed = 0;
  expect(await serin("retry", NAME, "--reason", "disk mended")).toMatchObject({ code: 0, error: "" });
  const again = await world.phase(NAME, "promoted");
  expect(again).toMatchObject({ plan: { firstRun: plan.run + 1 }, asked: { verb: "retry", reason: "disk mended" } });
  await serin("handover", NAME);
  await world.phase(NAME, "handedOver");

  await world.apply({ ...plain, variants: { stable: { cluster: "cart-stable" }, canary: { cluster: "cart-v3" } } });
  await world.phase(NAME, "promoted");
  await serin("handover", NAME, "--reason", "deployed");
  await world.phase(NAME, "handedOver");
  expect(await serin("undo", NAME)).toMatchObject({ code: 0, error: "" });
  const undone = await world.phase(NAME, "promoted");
  expect(undone).toMatchObject({ shareBp: 10_000, asked: { verb: "undo" } });
  expect(JSON.parse((await serin("get", NAME, "--json")).out)).toMatchObject({
    variants: { canary: { cluster: "cart-canary" } },
  });
});

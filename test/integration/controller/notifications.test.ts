import { createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import type { Action } from "../../../src/contract/actions.ts";
import type { PolicyInput } from "../../../src/contract/policy.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import type { ControllerOptions } from "../../../src/controller/options.ts";
import { listAudit } from "../../../src/io/store.ts";
import { serverThat } from "../../support/http-answers.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

const longStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "1h", minSample: 50 }] };

interface Message {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A service that takes what it is told; `status` is its answer. */
async function receiver(status: () => number = () => 204) {
  const taken: Message[] = [];
  const tries: Readonly<{ headers: Readonly<Record<string, unknown>>; text: string }>[] = [];
  const url = await serverThat(({ headers, text }, response) => {
    tries.push({ headers, text });
    const code = status();
    if (code < 300) taken.push(JSON.parse(text));
    response.writeHead(code).end();
  });
  return { url, taken, tries, told: (): string[] => taken.map(({ type }) => type.slice(type.lastIndexOf(".") + 1)) };
}

async function secretsOf(secrets: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "serin-notify-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(secrets)) await writeFile(join(folder, name), `${text}\n`);
  return folder;
}

const ENDS: Action[] = ["promoted", "rolledBack", "handedOver", "paused", "overdue"];

async function policyOf(world: World, notifications: PolicyInput["notifications"]): Promise<void> {
  const document = { apiVersion: "serin/v1", kind: "Policy", notifications };
  expect(await world.send("apply", { document })).toMatchObject({ result: "done" });
  // Their consumers must be there before the next leader is asked for anything.
  await waitFor("receivers are followed", async () => {
    const manager = await world.link.jetstream.jetstreamManager();
    const consumers = await manager.consumers.list("SERIN_AUDIT").next();
    return consumers.length === (notifications?.length ?? 0) ? true : undefined;
  });
}

const audited = (world: World, action: string): Promise<true> =>
  waitFor(`${action} in the audit`, async () =>
    (await listAudit(world.link, "cart", 100)).some((line) => line.action === action) ? true : undefined,
  );

async function running(world: World, options: Partial<ControllerOptions> = {}): Promise<void> {
  await world.leader("a", options);
  await world.sidecar("one");
}

describe("each state that a person should hear of", () => {
  test("is told of a gate that waits, with whom it waits for and what it asks", async ({ world }) => {
    const { url, taken, told } = await receiver();
    await running(world);
    // As the policy says nothing of events, those that are told anyway.
    await policyOf(world, [{ name: "hook", webhook: { url } }]);
    const gate = { approvers: ["ann"], limit: "1h" };
    const stages = [{ share: "50%", minTime: "1s", minSample: 50, gate }];
    await world.apply(documentOf("cart", { strategy: { type: "canary", stages } }));
    await world.phase("cart", "gate");
    await waitFor("the gate is told", async () => (told().includes("gate") ? true : undefined));
    const message = taken.find(({ type }) => type.endsWith(".gate"));
    expect(JSON.stringify(message?.data)).toContain("asks before it goes on");
    expect(told().filter((type) => type === "gate")).toHaveLength(1);
  });

  test("is told once: paused, promoted, overdue, handed over, rolled back", async ({ world }) => {
    const { url, taken, tries, told } = await receiver();
    const notifySecrets = await secretsOf({ key: "s3cret", bearer: "Bearer abc" });
    await running(world, { notifySecrets, publicUrl: "https://serin.example/", deadlines: { promotedMs: 100 } });
    await policyOf(world, [{ name: "hook", webhook: { url, secret: "key", authorizationFrom: "bearer" }, events: ENDS }]);
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.phase("cart", "stage");
    await world.send("pause", { rollout: "cart", reason: "lunch" });
    await world.send("promote", { rollout: "cart", full: true });
    await audited(world, "overdue");
    await world.send("handover", { rollout: "cart" });
    await world.apply(documentOf("cart", { strategy: longStage, salt: "another" }));
    await world.phase("cart", "stage");
    await world.send("abort", { rollout: "cart", reason: "enough" });
    await waitFor("the last message", () => (told().includes("rolledBack") ? true : undefined));
    expect(told()).toEqual(["paused", "promoted", "overdue", "handedOver", "rolledBack"]);
    expect(taken[0]).toMatchObject({
      specversion: "1.0",
      source: "/serin/rollouts/cart",
      type: "serin.rollout.paused",
      subject: "cart",
      datacontenttype: "application/json",
      data: {
        rollout: "cart",
        stage: "stage 1 of 1",
        shareBp: 2_000,
        reason: "lunch",
        who: { name: "ann", claimed: true },
        link: "https://serin.example/v1/rollouts/cart",
        text: "cart: paused at 20 %: lunch (ann (claimed))",
      },
    });
    const ids = (await listAudit(world.link, "cart", 100)).filter(({ action }) => action === "paused").map(({ id }) => id);
    expect([taken[0]?.id]).toEqual(ids);
    const { headers, text } = tries[0] ?? { headers: {}, text: "" };
    const signature = createHmac("sha256", "s3cret")
      .update(`${String(headers["x-serin-timestamp"])}.${text}`)
      .digest("hex");
    expect(headers).toMatchObject({
      "content-type": "application/cloudevents+json; charset=utf-8",
      "x-serin-signature": `sha256=${signature}`,
      authorization: "Bearer abc",
    });
  });

  test("is told with its evidence when the evidence decided", async ({ world }) => {
    const { url, taken } = await receiver();
    await world.leader("a");
    const sidecar = await world.sidecar("one");
    await policyOf(world, [{ name: "hook", webhook: { url }, events: ["rollback"] }]);
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.phase("cart", "stage");
    sidecar.traffic.canaryFailed = 50;
    const [message] = await waitFor("the message", () => (taken.length > 0 ? taken : undefined));
    expect(message?.data).toMatchObject({
      stage: "stage 1 of 1",
      before: { phase: "stage", stage: 1, of: 1, shareBp: 2_000 },
      evidence: expect.stringMatching(/^rollback, odds of harm .*; errors: stable .* %, canary .* %/),
      verdict: { verdict: "rollback" },
    });
  });
});

describe("after a fail-over", () => {
  test("nothing is told twice, and nothing is left out", async ({ world }) => {
    const { url, taken, told } = await receiver();
    const first = await world.controller("a");
    await waitFor("a leads", () => first.isLeader() || undefined);
    await world.sidecar("one");
    const second = await world.controller("b");
    await policyOf(world, [{ name: "hook", webhook: { url } }]);
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.phase("cart", "stage");
    await world.send("pause", { rollout: "cart" });
    await first.stop();
    await waitFor("b leads", () => second.isLeader() || undefined);
    await waitFor("the command is taken", () => world.send("abort", { rollout: "cart" }).catch(() => undefined));
    await waitFor("the end is told", () => (told().includes("rolledBack") ? true : undefined));
    expect(told()).toEqual(["policy", "apply", "stage", "paused", "rollback", "rolledBack"]);
    expect(new Set(taken.map(({ id }) => id)).size).toBe(taken.length);
  });
});

describe("a receiver that is dead", () => {
  test("keeps neither rollouts nor other receivers waiting, and is told in order when it is back", async ({ world }) => {
    let status = 503;
    const [dead, well] = [await receiver(() => status), await receiver()];
    await running(world);
    await policyOf(world, [
      { name: "dead", webhook: { url: dead.url }, events: ["stage", ...ENDS] },
      { name: "well", slack: { url: well.url }, events: ["rolledBack"] },
    ]);
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.phase("cart", "stage");
    await world.send("abort", { rollout: "cart", reason: "<!channel> & more" });
    await world.phase("cart", "rolledBack");
    await waitFor("the other one is told", () => (well.taken.length > 0 ? true : undefined));
    expect(well.tries[0]?.text).toContain(
      "cart: rolled back at 0 %: every known sidecar serves stable (&lt;!channel&gt; &amp; more) (controller a)",
    );
    await waitFor("it is tried again", () => (dead.tries.length > 1 ? true : undefined));
    expect(dead.told()).toEqual([]);
    status = 200;
    await waitFor("it is told", () => (dead.taken.length > 1 ? true : undefined));
    expect(dead.told()).toEqual(["stage", "rolledBack"]);
  });

  test.for([
    { title: "refuses a message for good", status: 400, retryFor: "1h" },
    { title: "is away for longer than messages are kept", status: 500, retryFor: "0s" },
  ])("and $title misses that one and gets the next", async ({ status, retryFor }, { world }) => {
    let code = status;
    const { url, tries, told } = await receiver(() => code);
    await running(world);
    await policyOf(world, [{ name: "hook", webhook: { url }, events: ["stage", "rolledBack"], retryFor }]);
    await world.apply(documentOf("cart", { strategy: longStage }));
    await waitFor("it was tried", () => (tries.length > 0 ? true : undefined));
    code = 200;
    await world.send("abort", { rollout: "cart" });
    await waitFor("the next one", () => (told().length > 0 ? true : undefined));
    expect(told()).toEqual(["rolledBack"]);
  });
});

test("a template says what it is asked to say, and what it says cannot break out of its texts", async ({ world }) => {
  const { url, taken, tries } = await receiver();
  const notifySecrets = await secretsOf({ where: url });
  await running(world, { notifySecrets });
  const body = '{"id": "{{id}}", "type": "{{event}}", "message": "{{ rollout }} {{event}}: {{reason}}"}';
  await policyOf(world, [{ name: "own", template: { urlFrom: "where", body }, events: ["paused"], rollouts: ["ca*"] }]);
  for (const name of ["cart", "shop"]) {
    await world.apply(documentOf(name, { strategy: longStage }));
    await world.phase(name, "stage");
    await world.send("pause", { rollout: name, reason: 'a "quote", {{who}} and \\ back' });
  }
  await waitFor("the message", () => (taken.length > 0 ? true : undefined));
  expect(taken[0]).toMatchObject({ type: "paused", message: 'cart paused: a "quote", {{who}} and \\ back' });
  expect(tries.length).toBe(1);
});

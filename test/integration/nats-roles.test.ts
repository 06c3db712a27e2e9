import { generateKeyPairSync, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errors } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NATS_ROLES, type NatsRole } from "../../src/contract/nats-permissions.ts";
import { type RunningController, startController } from "../../src/controller/controller.ts";
import { systemClock } from "../../src/io/clock.ts";
import { createLog } from "../../src/io/log.ts";
import { connectNats, type NatsLink, subscribeSafely } from "../../src/io/nats.ts";
import { digestOf, tokenLine } from "../../src/io/tokens.ts";
import { serverThat } from "../support/http-answers.ts";
import { type NatsWithRoles, startNatsWithRoles } from "../support/nats-roles.ts";
import { requestHeaders, startTestSidecar, type TestSidecar, waitForVariant } from "../support/sidecar.ts";
import { type Ran, runWith } from "../unit/cli/cli-parts.ts";
import { documentOf } from "../unit/controller/builders.ts";
import { waitFor } from "./controller/wait.ts";

let nats: NatsWithRoles;
let controller: RunningController;
let sidecar: TestSidecar;
let key: string;
const links = new Map<NatsRole, NatsLink>();

const write = async (name: string, text: string | Buffer): Promise<string> => {
  const file = join(nats.directory, name);
  await writeFile(file, text);
  return file;
};
const serinAs = (role: NatsRole, ...args: string[]): Promise<Ran> =>
  runWith([...args, "--nats", nats.url, "--nats-creds", nats.creds(role)], {
    nowMs: Date.now,
    newId: randomUUID,
    signal: new AbortController().signal,
  });
const linkOf = (role: NatsRole): NatsLink => {
  const link = links.get(role);
  if (link === undefined) throw new Error(`no connection as ${role}`);
  return link;
};
const cart = documentOf("cart", {
  match: { hosts: ["shop.example"] },
  strategy: {
    type: "canary",
    stages: [
      { share: "50%", minTime: "1h" },
      { share: "75%", minTime: "1h" },
    ],
  },
  targets: [{ name: "testers", variant: "canary", when: { header: { name: "x-user-id", exact: "tester" } } }],
});

beforeAll(async () => {
  nats = await startNatsWithRoles();
  const operator = generateKeyPairSync("ed25519");
  key = await write("operator.pem", operator.privateKey.export({ type: "pkcs8", format: "pem" }));
  const operatorKeys = await write("operators.pem", operator.publicKey.export({ type: "spki", format: "pem" }));
  const tokens = await write("tokens", `${tokenLine({ name: "ci", role: "operate", digest: digestOf("serin_ci") })}\n`);
  const log = createLog({ name: "a", level: "silent" });
  const quick = { renewMs: 200, leaseMs: 1_500, tickMs: 50, judgeWriteMs: 100 };
  const where = { nats: nats.url, natsCreds: nats.creds("controller") };
  controller = await startController(
    { id: "a", ...where, ...quick, operatorKeys, tokens, http: "127.0.0.1:0" },
    { log, clock: systemClock },
  );
  await waitFor("the controller to lead", () => controller.isLeader() || undefined);
  sidecar = await startTestSidecar({ source: { nats: nats.url, natsCreds: nats.creds("sidecar") }, operatorKeys });
  for (const role of NATS_ROLES)
    links.set(role, await connectNats({ url: nats.url, creds: nats.creds(role), name: role, waitForServer: false }));
});
afterAll(async () => {
  for (const link of links.values()) await link.close();
  await sidecar?.stop();
  await controller?.stop();
  await nats?.stop();
});

describe("with a user for each role", () => {
  test("an operator rolls out, a viewer looks on, and nobody is refused what the work needs", async () => {
    const told: string[] = [];
    const url = await serverThat(({ text }, response) => {
      told.push(JSON.parse(text).type);
      response.end();
    });
    const policy = { apiVersion: "serin/v1", kind: "Policy", notifications: [{ name: "hook", webhook: { url } }] };
    const files = ["-f", await write("cart.yaml", JSON.stringify(cart)), "-f", await write("policy.yaml", JSON.stringify(policy))];
    expect(await serinAs("operator", "apply", ...files)).toMatchObject({ code: 0, error: "" });
    await waitForVariant(sidecar, "tester", "canary");
    await sidecar.process(requestHeaders({ "x-user-id": "u1" }));
    await waitFor("receipts and evidence of the sidecar", async () => {
      const { sidecars, rollouts } = JSON.parse((await serinAs("viewer", "status", "cart", "--json")).out);
      return sidecars[0].isCurrent && rollouts[0].judge?.totals.canary.decided > 0 ? true : undefined;
    });
    for (const args of [
      ["pause", "cart"],
      ["resume", "cart"],
      ["promote", "cart"],
      ["freeze"],
      ["unfreeze"],
      ["kill", "cart", "--sign-with", key],
    ])
      expect(await serinAs("operator", ...args)).toMatchObject({ code: 0, error: "" });
    await waitForVariant(sidecar, "tester", "stable");
    for (const args of [
      ["kill", "cart", "--lift", "--sign-with", key],
      ["retry", "cart"],
      ["abort", "cart"],
    ])
      expect(await serinAs("operator", ...args)).toMatchObject({ code: 0, error: "" });

    for (const args of [
      ["status"],
      ["get"],
      ["get", "cart"],
      ["get", "policy"],
      ["diff", ...files],
      ["history", "cart", "--steps"],
      ["audit"],
      ["explain", "--host", "shop.example", "--path", "/"],
    ])
      expect(await serinAs("viewer", ...args)).toMatchObject({ error: "" });
    expect(await serinAs("viewer", "watch", "cart", "--until", "ended")).toMatchObject({ code: 3 });
    const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${controller.httpUrl}/v1/${path}`, { ...init, headers: { authorization: "Bearer serin_ci" } });
    const answers = await Promise.all(["rollouts", "audit", "rollouts/cart/series"].map((path) => ask(path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await (await ask("rollouts/cart/retry", { method: "POST" })).json()).toMatchObject({ result: "done" });
    const events = await ask("events");
    await events.body?.getReader().read();
    await waitFor("word of a change", () => told.includes("serin.rollout.rolledBack") || undefined);
    await sidecar.beginStop();
    expect(await nats.violations()).toEqual([]);
  });

  test.each([["apply"], ["abort"], ["kill"]])("a viewer's `serin %s` is refused with what is missing", async (verb) => {
    const file = await write("cart.yaml", JSON.stringify(cart));
    const args = { apply: ["-f", file], abort: ["cart"], kill: ["cart", "--sign-with", key] }[verb] ?? [];
    const subject = { kill: "$JS.API.INFO" }[verb] ?? "serin.command";
    expect(await serinAs("viewer", verb, ...args)).toMatchObject({
      code: 5,
      error: `NATS does not allow this user to publish to ${subject}; use credentials that allow it, or give its user the permissions of its role (docs/hosts.md)\n`,
    });
  });

  test.each([
    ["sidecar", "serin.state.manifest"],
    ["sidecar", "serin.push.manifest"],
    ["sidecar", "serin.plans.cart"],
    ["sidecar", "serin.command"],
    ["sidecar", "serin.kill.all"],
    ["sidecar", "serin.audit.cart"],
    ["sidecar", "$JS.API.DIRECT.GET.SERIN_STATE"],
    ["sidecar", "$JS.API.DIRECT.GET.SERIN_PLANS.serin.plans.cart"],
    ["sidecar", "$JS.API.CONSUMER.CREATE.SERIN_STATE.x"],
    ["viewer", "serin.command"],
    ["viewer", "serin.kill.all"],
    ["viewer", "serin.receipt.s1"],
    ["viewer", "serin.evidence.s1"],
    ["viewer", "serin.state.manifest"],
    ["viewer", "$JS.API.STREAM.DELETE.SERIN_STATE"],
    ["operator", "serin.state.manifest"],
    ["operator", "serin.push.manifest"],
    ["operator", "serin.receipt.s1"],
    ["operator", "$JS.API.STREAM.PURGE.SERIN_AUDIT"],
    ["controller", "serin.kill.all"],
    ["controller", "$JS.API.STREAM.DELETE.SERIN_STATE"],
    ["controller", "_INBOX_serin.operator.x"],
  ] as const)("the %s may not publish to %s", async (role, subject) => {
    const asked = linkOf(role).connection.request(subject, "{}", { timeout: 5_000 });
    await expect(asked).rejects.toThrow(`Permissions Violation for Publish to "${subject}"`);
  });

  test.each([
    ["sidecar", "serin.>"],
    ["sidecar", "serin.evidence.*"],
    ["sidecar", "serin.command"],
    ["sidecar", "_INBOX_serin.operator.>"],
    ["viewer", "serin.command"],
    ["viewer", "serin.evidence.*"],
    ["viewer", "_INBOX_serin.operator.>"],
    ["operator", "serin.command"],
    ["operator", ">"],
    ["controller", "_INBOX_serin.operator.>"],
  ] as const)("the %s may not subscribe to %s", async (role, subject) => {
    const refused = new Promise((resolve) => subscribeSafely(linkOf(role), subject, () => undefined, resolve));
    expect(await refused).toBeInstanceOf(errors.PermissionViolationError);
  });

  test("who shows no credentials, or wrong ones, gets nothing and is told how to mend it", async () => {
    expect(await runWith(["status", "--nats", nats.url])).toMatchObject({
      code: 2,
      error: `NATS at ${nats.url} wants to know who this is; name a file of credentials by --nats-creds or SERIN_NATS_CREDS\n`,
    });
    const natsCreds = await write("wrong.creds", "operator:wrong");
    expect(await runWith(["status", "--nats", nats.url], { natsCreds })).toMatchObject({
      code: 2,
      error: `NATS at ${nats.url} refuses the credentials in ${natsCreds} (Authorization Violation); write right ones there, each attempt reads them again\n`,
    });
    // What was refused since the first test stands where that one saw nothing.
    expect((await nats.violations()).length).toBeGreaterThan(30);
  });
});

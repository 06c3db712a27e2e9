import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Logger } from "../../src/io/log.ts";
import { connectNats, type NatsLink, type NatsOptions } from "../../src/io/nats.ts";
import { issueCertificates } from "../support/certificates.ts";
import { ruleOf } from "../support/decide-inputs.ts";
import { operatorMode } from "../support/nats-jwt.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { keepOnDisk } from "../support/rules-on-disk.ts";
import { decidedFor, startTestSidecar } from "../support/sidecar.ts";
import { runWith } from "../unit/cli/cli-parts.ts";
import { waitFor } from "./controller/wait.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "serin-login-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const write = async (name: string, text: string): Promise<string> => {
  await writeFile(join(directory, name), text);
  return join(directory, name);
};

async function serverWith(config: string): Promise<NatsServer> {
  const server = await startNatsServer({ args: ["--config", await write("nats.conf", config)] });
  onTestFinished(() => server.stop());
  return server;
}

async function linked(options: Omit<NatsOptions, "name" | "waitForServer">): Promise<NatsLink> {
  const link = await connectNats({ name: "test", waitForServer: true, ...options });
  onTestFinished(() => link.close());
  return link;
}

const users = (password: string): string => `accounts { S { jetstream: enabled, users: [{ user: edge, password: "${password}" }] } }`;
const isBack = (link: NatsLink): Promise<true> =>
  waitFor("the connection to be back", () =>
    link.connection.flush().then(
      () => true as const,
      () => undefined,
    ),
  );

/** As an operator does after the configuration was changed. */
async function reload(server: NatsServer, config: string): Promise<void> {
  await write("nats.conf", config);
  process.kill(server.pid(), "SIGHUP");
}

describe("credentials in a file", () => {
  test("of a JWT and its seed are taken in operator mode, with inboxes of the user's own", async () => {
    const mode = operatorMode();
    const server = await serverWith(mode.config);
    const inbox = "_INBOX_serin.edge-1.>";
    const creds = await write("edge.creds", mode.creds("edge-1", { publish: ["ask", inbox], subscribe: ["ask", inbox] }));
    const { connection } = await linked({ url: server.url, creds });
    connection.subscribe("ask", { callback: (_, message) => void message.respond("answer") });
    await connection.flush();
    expect((await connection.request("ask", "", { timeout: 5_000 })).string()).toBe("answer");
    await expect(connection.request("other", "", { timeout: 5_000 })).rejects.toThrow('Permissions Violation for Publish to "other"');
  });

  test("that NATS refuses later are said once, and right ones count from the next attempt", async () => {
    const server = await serverWith(users("one"));
    const creds = await write("edge.creds", "edge:one");
    const troubles: string[] = [];
    const link = await linked({ url: server.url, creds, onTrouble: (problem) => troubles.push(problem) });
    await reload(server, users("two"));
    await waitFor("the refusal", () => troubles.length > 0 || undefined);
    await write("edge.creds", "edge:two");
    await isBack(link);
    expect(troubles).toEqual([
      `NATS at ${server.url} refuses the credentials in ${creds} (Authorization Violation); write right ones there, each attempt reads them again`,
    ]);
  });

  test.each([
    { title: "is gone", text: undefined, says: /cannot be read; it is a file of one line/ },
    { title: "holds something else", text: "secret", says: /holds no credentials for NATS; it is one line/ },
  ])("are the last good ones where the file $title, and that is said", async ({ text, says }) => {
    const server = await serverWith(users("one"));
    const creds = await write("edge.creds", "edge:one");
    const troubles: string[] = [];
    const link = await linked({ url: server.url, creds, onTrouble: (problem) => troubles.push(problem) });
    await (text === undefined ? rm(creds) : write("edge.creds", text));
    await server.restart();
    await isBack(link);
    expect(troubles).toEqual([expect.stringMatching(says)]);
  });

  test("with a seed that is none do not end the connection either", async () => {
    const mode = operatorMode();
    const server = await serverWith(mode.config);
    const text = mode.creds("edge-1", { publish: [">"], subscribe: [">"] });
    const creds = await write("edge.creds", text);
    const link = await linked({ url: server.url, creds, onTrouble: () => undefined });
    await write("edge.creds", text.replace(/^SU.*$/m, `SU${"A".repeat(56)}`));
    await server.restart();
    expect(await isBack(link)).toBe(true);
  });
});

test("a sidecar whose credentials are refused serves the rules that it has, says it, and comes back with right ones", async () => {
  const server = await serverWith(users("right"));
  const natsCreds = await write("edge.creds", "edge:wrong");
  await keepOnDisk(directory, { format: 1, epoch: 10, revision: 1, rollouts: { checkout: ruleOf({}, { shareBp: 10_000 }) } });
  const said: unknown[] = [];
  const say = (...line: unknown[]): void => void said.push(...line);
  // Only what a sidecar says.
  const log = { info: say, warn: say, error: say } as unknown as Logger;
  const sidecar = await startTestSidecar({ source: { nats: server.url, natsCreds }, stateDir: directory }, log);
  onTestFinished(() => sidecar.stop());
  await waitFor("the refusal", () => said.includes("NATS refuses something, trying on") || undefined);
  expect(await decidedFor(sidecar, "u1")).toBe("canary");
  expect(said).toContainEqual({ problem: expect.stringContaining(`refuses the credentials in ${natsCreds}`) });
  await write("edge.creds", "edge:right");
  await waitFor("the connection", () => said.includes("connected to NATS") || undefined);
});

describe("TLS", () => {
  async function serverWithTls(name: string): Promise<{ url: string; ca: string }> {
    const made = await issueCertificates([], name);
    onTestFinished(() => made.directory.remove());
    const { certificate, key, authority } = made.server;
    const { port } = await serverWith(`tls { cert_file: "${certificate}", key_file: "${key}" }`);
    return { url: `tls://localhost:${port}`, ca: authority };
  }

  test("is spoken with a server whose authority is named", async () => {
    const { connection } = await linked(await serverWithTls("localhost"));
    await connection.flush();
    expect(connection.info?.tls_required).toBe(true);
  });

  test.each([
    { title: "whose authority nobody knows", name: "localhost", isNamed: false, says: "unable to verify the first certificate" },
    { title: "of another name", name: "edge.example", isNamed: true, says: "Hostname/IP does not match" },
  ])("is not spoken with a server $title, and the command line says why", async ({ name, isNamed, says }) => {
    const { url, ca } = await serverWithTls(name);
    const { code, error } = await runWith(["status", "--nats", url, ...(isNamed ? ["--nats-ca", ca] : [])]);
    expect([code, error]).toEqual([2, expect.stringContaining(`NATS at ${url} has no TLS that can be trusted (${says}`)]);
  });

  test("that was asked for is never given up for a server without it", async () => {
    const { port } = await serverWith("");
    const { code, error } = await runWith(["status", "--nats", `tls://localhost:${port}`]);
    expect([code, error]).toEqual([2, expect.stringContaining("has no TLS that can be trusted (server does not support 'tls')")]);
  });
});

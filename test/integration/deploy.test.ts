import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { type ProcessEnd, startProcess } from "../../src/demo/processes.ts";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { issueCertificates } from "../support/certificates.ts";
import { secretsScript } from "../support/nats-roles.ts";

/** Asks the server itself, in a directory of the test. */
async function checked(directory: string, config: string): Promise<{ end: ProcessEnd; output: string }> {
  const args = ["-t", "-c", config];
  const server = await startProcess({ name: "nats-server", program: inject("natsServerProgram"), args, cwd: directory });
  return { end: await server.ended, output: server.output() };
}

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "serin-deploy-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

test("the shipped configuration of NATS is one that nats-server accepts", async () => {
  const config = join(packageRoot(), "deploy", "nats-server.conf");
  expect(await checked(await newDirectory(), config)).toMatchObject({ end: { code: 0 } });
});

test("so is the one with a user for each role, with its lines for TLS", async () => {
  const directory = await newDirectory();
  const certificates = await issueCertificates([], "localhost");
  onTestFinished(() => certificates.directory.remove());
  await cp(join(packageRoot(), "deploy", "nats"), directory, { recursive: true });
  await runCommand("sh", ["-ec", `cd "$0"\n${secretsScript().join("\n")}`, directory], 30_000);
  const config = join(directory, "nats-server.conf");
  const text = await readFile(config, "utf8");
  const withTls = text.replace(/^# (tls \{)\n# ( .*)\n# ( .*)\n# (\})/m, "$1\n$2\n$3\n$4");
  expect(withTls).not.toBe(text);
  const { certificate, key } = certificates.server;
  await writeFile(config, withTls.replace("/etc/nats/server.pem", certificate).replace("/etc/nats/server.key", key));
  expect(await checked(directory, config)).toMatchObject({ end: { code: 0 } });
});

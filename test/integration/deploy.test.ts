import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { startProcess } from "../../src/demo/processes.ts";
import { packageRoot } from "../../src/io/package-root.ts";

test("the shipped configuration of NATS is one that nats-server accepts", async () => {
  const directory = await mkdtemp(join(tmpdir(), "serin-deploy-"));
  const args = ["-t", "-c", join(packageRoot(), "deploy", "nats-server.conf")];
  const checked = await startProcess({ name: "nats-server", program: inject("natsServerProgram"), args, cwd: directory });
  expect({ end: await checked.ended, output: checked.output() }).toMatchObject({ end: { code: 0 } });
  await rm(directory, { recursive: true });
});

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";
import type { NatsRole } from "../../src/contract/nats-permissions.ts";
import { durationMs } from "../../src/contract/quantities.ts";
import { type ProcessEnd, startProcess } from "../../src/demo/processes.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type NatsWithRoles, startNatsWithRoles } from "../support/nats-roles.ts";

const program = join(packageRoot(), "dist", "bin", "serin.js");

/** What a file of environment says on a host. */
const environment = (nats: NatsWithRoles, role: NatsRole, flags = ""): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  SERIN_NATS: nats.url,
  SERIN_NATS_CREDS: nats.creds(role),
  SERIN_FLAGS: flags,
});

/** Starts what the unit starts, in a directory of the test; gives the way to stop it as systemd does. */
async function startUnit(name: string, directory: string, env: Record<string, string>): Promise<() => Promise<ProcessEnd>> {
  const unit = await readFile(join(packageRoot(), "deploy", "systemd", name), "utf8");
  const setting = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(unit)?.[1] ?? "";
  const line = setting("ExecStart")
    .replace("/run/serin/%i", directory)
    .replace("/var/lib/serin/%i", join(directory, "state"))
    .replace("$SERIN_FLAGS", env["SERIN_FLAGS"] ?? "");
  const started = await startProcess({ name, program: process.execPath, args: [program, ...line.split(" ").slice(1)], env });
  const stop = (): Promise<ProcessEnd> => started.stop(durationMs(setting("TimeoutStopSec")));
  onTestFinished(async () => void (await stop()));
  return stop;
}

test("what the units start works with the rights of its role, and ends well in the time that it is given", async () => {
  const nats = await startNatsWithRoles();
  onTestFinished(() => nats.stop());
  const { directory } = nats;
  const stopController = await startUnit("serin-controller.service", directory, environment(nats, "controller", "--http 127.0.0.1:0"));
  const flags = "--workers 2 --metrics 127.0.0.1:0";
  const stopSidecar = await startUnit("serin-sidecar@.service", directory, environment(nats, "sidecar", flags));
  const status = (): Promise<string> =>
    new Promise((resolve) => {
      execFile(process.execPath, [program, "status"], { env: environment(nats, "viewer") }, (_, out, error) => resolve(out + error));
    });
  const both = /leads \(term 1\)\n2 sidecars known\n/;
  await waitFor(async () => (both.test(await status()) ? true : undefined), {
    deadlineMs: 60_000,
    what: "the controller to know both workers",
  });
  expect(await Promise.all([stopSidecar(), stopController()])).toEqual([
    { code: 0, signal: null },
    { code: 0, signal: null },
  ]);
  expect(await nats.violations()).toEqual([]);
});

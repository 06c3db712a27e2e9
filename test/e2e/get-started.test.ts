import { randomInt } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { expect, inject, onTestFinished, test } from "vitest";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { blocksOf } from "../support/doc-blocks.ts";
import { startPageShell } from "../support/page-shell.ts";

const root = packageRoot();
const page = readFileSync(join(root, "docs", "get-started.md"), "utf8");
const lines = (mark: string): string[] => blocksOf(page, `sh ${mark}`).flatMap((text) => text.trim().split("\n"));

/** The page in a folder of its own, and on a loopback address of its own: others may follow it at the same time. */
function newcomer() {
  const folder = mkdtempSync(join(tmpdir(), "serin-"));
  const address = `127.${randomInt(64, 128)}.${randomInt(256)}.1`;
  const here = (text: string): string => text.replaceAll("127.0.0.1", address);
  cpSync(join(root, "deploy", "compose"), join(folder, "deploy", "compose"), { recursive: true });
  for (const file of ["deploy/nats-server.conf", "envoy/envoy.yaml"]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), here(readFileSync(join(root, file), "utf8")));
  }
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(inject("envoyProgram"), join(bin, "envoy"));
  symlinkSync(inject("natsServerProgram"), join(bin, "nats-server"));
  // One fixed port less: that of the metrics, which the page does not ask.
  writeFileSync(
    join(bin, "npx"),
    `#!/bin/sh\nshift\n[ "$1" = sidecar ] && set -- "$@" --metrics 127.0.0.1:0\nexec "${process.execPath}" "${join(root, "dist", "bin", "serin.js")}" "$@"\n`,
    { mode: 0o755 },
  );
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}`, SERIN_NATS: `nats://${address}:4222` };
  const shell = startPageShell(folder, env);
  onTestFinished(() => {
    shell.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return { run: (line: string) => shell.run(here(line)) };
}

test("who follows docs/get-started.md sees what it says", async () => {
  const { run } = newcomer();
  const follow = async (mark: string) => {
    const ran = [];
    for (const line of lines(mark)) ran.push(await run(line));
    return ran;
  };
  const codes = (ran: readonly { code: number }[]): number[] => ran.map(({ code }) => code);
  expect(codes(await follow("start"))).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  await waitFor(async () => /leads \(term 1\)\n1 sidecar known\nno rollouts/.test((await run("npx serin status")).out), {
    deadlineMs: 30_000,
    what: "the status that the page shows",
  });
  await waitFor(async () => (await run("curl -s http://127.0.0.1:9901/ready")).out === "LIVE\n", { deadlineMs: 30_000, what: "Envoy" });

  const bad = await follow("bad");
  expect({ codes: codes(bad), bad }).toMatchObject({ codes: [0, 0, 3, 3] });
  expect(bad[0]?.out).toBe("this is stable\n");
  expect(bad.at(-1)?.out).toMatch(/shop: rolled back \((errors|newly failing users) .* on canary against 0 % on stable/);

  const good = await follow("good");
  expect({ codes: codes(good), good }).toMatchObject({ codes: good.map(() => 0) });
  expect(good[3]?.out).toBe("this is canary\n");
  expect(good.at(-1)?.out).toMatch(/^shop: 2 attempts, newest first\n\nhanded over/);
  expect(codes(await follow("stop"))).toEqual([0]);
});

import { randomInt } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
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

/** Where the demo leaves its programs, beside what a checkout has after `npm run check:deploy` and another version of Envoy before. */
function cachePrograms(folder: string): void {
  const tools = join(folder, ".cache", "tools");
  const programs = {
    "envoy-1.40.0-here/envoy": inject("envoyProgram"),
    "nats-server-2.15.1-here/nats-server": inject("natsServerProgram"),
  };
  const useless = ["envoy-1.39.0-here/envoy", "envoy-of-meshes-1.39.1"];
  for (const path of [...Object.keys(programs), ...useless]) mkdirSync(dirname(join(tools, path)), { recursive: true });
  for (const path of useless) {
    writeFileSync(join(tools, path), "#!/bin/sh\nexit 9\n");
    chmodSync(join(tools, path), 0o755);
    utimesSync(join(tools, path), 0, 0);
  }
  for (const [path, program] of Object.entries(programs)) symlinkSync(program, join(tools, path));
}

/** The page in a folder of its own, and on a loopback address of its own: others may follow it at the same time. */
function newcomer(named: NodeJS.ProcessEnv = {}) {
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
  cachePrograms(folder);
  symlinkSync(join(root, "dist"), join(folder, "dist"));
  writeFileSync(join(bin, "npx"), `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(root, "dist", "bin", "serin.js")}" "$@"\n`, {
    mode: 0o755,
  });
  const { ENVOY_BIN: _envoy, NATS_SERVER_BIN: _nats, ...others } = process.env;
  const env = { ...others, ...named, PATH: `${bin}:${process.env["PATH"]}`, SERIN_NATS: `nats://${address}:4222` };
  const shell = startPageShell(folder, env);
  onTestFinished(() => {
    shell.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  /** On the page's own port it would meet a sidecar of others. */
  const told = (line: string): string => here(line.replace("serin.js sidecar", "$& --metrics 127.0.0.1:9464"));
  return { address, run: (line: string) => shell.run(told(line)) };
}

/** Ports of the page that somebody listens on. */
async function openPorts(address: string): Promise<number[]> {
  const open = await Promise.all(
    [4222, 8081, 8082, 9464, 9901, 10_000].map(async (port) => {
      const socket = connect(port, address);
      const isOpen = await new Promise<boolean>((resolve) =>
        socket.once("connect", () => resolve(true)).once("error", () => resolve(false)),
      );
      socket.destroy();
      return isOpen ? [port] : [];
    }),
  );
  return open.flat();
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("who follows docs/get-started.md sees what it says", async () => {
  const { run, address } = newcomer();
  const follow = async (mark: string) => {
    const ran = [];
    for (const line of lines(mark)) ran.push(await run(line));
    return ran;
  };
  const codes = (ran: readonly { code: number }[]): number[] => ran.map(({ code }) => code);
  expect(codes(await follow("programs"))).toEqual([0, 0]);
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

  const again = await follow("retry");
  expect({ codes: codes(again), again }).toMatchObject({ codes: [0, 0, 0] });
  await waitFor(async () => (await run(lines("good")[0] ?? "")).out === "this is canary\n", {
    deadlineMs: 30_000,
    what: "the canary for a tester",
  });
  const good = await follow("good");
  expect({ codes: codes(good), good }).toMatchObject({ codes: good.map(() => 0) });
  expect(good[0]?.out).toBe("this is canary\n");
  expect(good.at(-1)?.out).toMatch(/^shop: 2 attempts, newest first\n\nhanded over/);

  const started = (await run("jobs -p")).out.trim().split("\n").map(Number);
  expect([started.length, started.filter(isAlive), await openPorts(address)]).toEqual([7, started, [4222, 8081, 8082, 9464, 9901, 10_000]]);
  expect(codes(await follow("stop"))).toEqual([0]);
  await waitFor(async () => !started.some(isAlive) && (await openPorts(address)).length === 0, {
    deadlineMs: 30_000,
    what: "all that the page started to be gone",
  });
});

test("programs that their variables name are taken, and the README finds them like the page", async () => {
  const { run } = newcomer({ ENVOY_BIN: "/opt/envoy", NATS_SERVER_BIN: "/opt/nats" });
  for (const line of lines("programs")) await run(line);
  expect((await run('echo "$ENVOY_BIN $NATS_SERVER_BIN"')).out).toBe("/opt/envoy /opt/nats\n");
  expect(blocksOf(readFileSync(join(root, "README.md"), "utf8"), "sh programs")).toEqual(blocksOf(page, "sh programs"));
});

import { connect } from "node:net";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { waitFor } from "../../src/demo/wait-for.ts";
import { commandsOf } from "../support/doc-blocks.ts";
import { type Newcomer, startNewcomer } from "../support/newcomer.ts";

function newcomer(named?: NodeJS.ProcessEnv): Newcomer {
  const started = startNewcomer(named);
  onTestFinished(started.stop);
  return started;
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
  const { run, follow, address } = newcomer();
  const codes = (ran: readonly { code: number }[]): number[] => ran.map(({ code }) => code);
  expect(codes(await follow(commandsOf("docs/get-started.md", "programs")))).toEqual([0, 0]);
  expect(codes(await follow(commandsOf("docs/get-started.md", "start")))).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  await waitFor(async () => /leads \(term 1\)\n1 sidecar known\nno rollouts/.test((await run("npx serin status")).out), {
    deadlineMs: 30_000,
    what: "the status that the page shows",
  });
  await waitFor(async () => (await run("curl -s http://127.0.0.1:9901/ready")).out === "LIVE\n", { deadlineMs: 30_000, what: "Envoy" });

  const bad = await follow(commandsOf("docs/get-started.md", "bad"));
  expect({ codes: codes(bad), bad }).toMatchObject({ codes: [0, 0, 3, 3] });
  expect(bad[0]?.out).toBe("this is stable\n");
  expect(bad.at(-1)?.out).toMatch(/shop: rolled back \((errors|newly failing users) .* on canary against 0 % on stable/);

  const again = await follow(commandsOf("docs/get-started.md", "retry"));
  expect({ codes: codes(again), again }).toMatchObject({ codes: [0, 0, 0] });
  await waitFor(async () => (await run(commandsOf("docs/get-started.md", "good")[0] ?? "")).out === "this is canary\n", {
    deadlineMs: 30_000,
    what: "the canary for a tester",
  });
  const good = await follow(commandsOf("docs/get-started.md", "good"));
  expect({ codes: codes(good), good }).toMatchObject({ codes: good.map(() => 0) });
  expect(good[0]?.out).toBe("this is canary\n");
  expect(good.at(-1)?.out).toMatch(/^shop: 2 attempts, newest first\n\nhanded over/);

  const started = (await run("jobs -p")).out.trim().split("\n").map(Number);
  expect([started.length, started.filter(isAlive), await openPorts(address)]).toEqual([7, started, [4222, 8081, 8082, 9464, 9901, 10_000]]);
  expect(codes(await follow(commandsOf("docs/get-started.md", "stop")))).toEqual([0]);
  await waitFor(async () => !started.some(isAlive) && (await openPorts(address)).length === 0, {
    deadlineMs: 30_000,
    what: "all that the page started to be gone",
  });
});

test("programs that their variables name are taken, and the README finds them like the page", async () => {
  const programs = commandsOf("docs/get-started.md", "programs");
  const { run, follow } = newcomer({ ENVOY_BIN: "/opt/envoy", NATS_SERVER_BIN: "/opt/nats" });
  await follow(programs);
  expect((await run('echo "$ENVOY_BIN $NATS_SERVER_BIN"')).out).toBe("/opt/envoy /opt/nats\n");
  expect(commandsOf("README.md", "programs")).toEqual(programs);
});

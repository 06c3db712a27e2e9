import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { commandsOf } from "../support/doc-blocks.ts";
import { connect, type Stack, startStack, waitForLive } from "../support/stack.ts";

const root = packageRoot();

/** Runs a line as a shell would, with the README's `npx serin` being the build of this checkout. */
const run = (line: string, cwd: string, env: Record<string, string> = {}): Promise<{ code: number; out: string }> =>
  new Promise((resolve) => {
    const serin = `${process.execPath} ${join(root, "dist", "bin", "serin.js")}`;
    const script = line.replaceAll("npx serin", serin).replaceAll("docs/examples", join(root, "docs", "examples"));
    execFile("sh", ["-c", script], { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout + stderr }),
    );
  });

test.each([
  { page: "README.md", lines: commandsOf("README.md", "test"), end: "bucket" },
  { page: "docs/write-a-rollout.md", lines: commandsOf("docs/write-a-rollout.md", "test"), end: "errors 0.1%->5%" },
])("the first steps of $page work without a server", async ({ lines, end }) => {
  const directory = await mkdtemp(join(tmpdir(), "serin-readme-"));
  expect(lines.length).toBeGreaterThan(2);
  let last = "";
  for (const line of lines) {
    const { code, out } = await run(line, directory);
    expect({ line, code, out }).toMatchObject({ line, code: 0 });
    last = out;
  }
  expect(last).toContain(end);
  await rm(directory, { recursive: true });
});

let stack: Stack;
let link: NatsLink;
beforeAll(async () => {
  stack = await startStack();
  link = await connect(stack);
});
afterAll(async () => {
  await link.close();
  await stack.stop();
});

test("the README's verbs work, in their order, on a running system", async () => {
  const lines = commandsOf("README.md", "online");
  expect(lines.length).toBeGreaterThan(4);
  for (const line of lines) {
    const { code, out } = await run(line, stack.directory, { SERIN_NATS: stack.nats.url });
    expect({ line, code, out }).toMatchObject({ line, code: 0 });
    if (line.includes("apply")) await waitForLive(link, "checkout", ({ plan }) => plan.phase === "stage");
  }
  await waitForLive(link, "checkout", ({ plan }) => plan.phase === "rolledBack");
});

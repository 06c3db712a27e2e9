import { access, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { VERSION } from "../../src/contract/version.ts";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";

/** A PATH on which the program stands as kubectl looks for it. */
async function pathWithPlugin(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "serin-kubectl-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await symlink(join(packageRoot(), "node_modules", ".bin", "kubectl-serin"), join(folder, "kubectl-serin"));
  return [folder, process.env["PATH"] ?? ""].join(delimiter);
}

/** The real one where the machine has it; else what it does with a plugin: it looks for the name on the PATH, and hands on what follows. */
async function asKubectl(): Promise<readonly string[]> {
  const found = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "kubectl"));
  for (const program of found)
    if (
      await access(program).then(
        () => true,
        () => false,
      )
    )
      return [program, "serin"];
  return ["kubectl-serin"];
}

test("as kubectl-serin on the PATH it takes flags and tells exit codes; kubectl calls it so where the machine has one", async () => {
  const path = await pathWithPlugin();
  const command = await asKubectl();
  const run = (...args: string[]) => runCommand("env", [`PATH=${path}`, ...command, ...args], 30_000);
  expect(await run("version", "--json")).toMatchObject({ code: 0, stdout: `${JSON.stringify({ version: VERSION })}\n` });
  expect(await run("status", "--nonsense")).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option '--nonsense'") });
});

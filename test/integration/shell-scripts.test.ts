import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { type CommandResult, runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { findShellcheck } from "../support/shellcheck.ts";

const root = packageRoot();

let shellcheck: string;
beforeAll(async () => {
  ({ path: shellcheck } = await findShellcheck());
});

const IS_SCRIPT = /^#!\S*[/ ](ba|da|k)?sh\b/;

/** Files of the checkout that git has or would take, and whose first line names a shell. */
async function scripts(): Promise<string[]> {
  const { stdout } = await runCommand("git", ["-C", root, "ls-files", "--cached", "--others", "--exclude-standard"], 30_000);
  const names = stdout.trim().split("\n");
  const isScript = await Promise.all(names.map(async (name) => IS_SCRIPT.test(await readFile(join(root, name), "utf8").catch(() => ""))));
  return names.filter((_, index) => isScript[index]);
}

/** What ShellCheck says of a text. */
const linted = (shell: "sh" | "bash", text: string): Promise<CommandResult> =>
  runCommand("sh", ["-c", `printf '%s\\n' "$2" | "$0" --norc --shell "$1" -`, shellcheck, shell, text], 30_000);

const CLEAN = { code: 0, stdout: "", stderr: "" };

test("ShellCheck finds nothing in any shell script, and would find a fault", async () => {
  const found = await scripts();
  expect(found).toContain(".ci/run");
  const paths = found.map((name) => join(root, name));
  expect(await runCommand(shellcheck, ["--norc", ...paths], 60_000)).toEqual(CLEAN);
  expect(await linted("sh", "cd $1")).toMatchObject({ code: 1, stdout: expect.stringContaining("SC2086") });
});

test("nor in the steps of the GitHub Action, which actionlint does not read", async () => {
  const action = parse(await readFile(join(root, "deploy", "github-action", "action.yml"), "utf8"));
  const runs: string[] = action.runs.steps.map(({ run }: { run: string }) => run);
  expect(runs).toHaveLength(2);
  for (const run of runs) expect(await linted("bash", run)).toEqual(CLEAN);
});

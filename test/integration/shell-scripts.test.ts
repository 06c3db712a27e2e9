import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { findShellcheck } from "../support/shellcheck.ts";

const root = packageRoot();

let shellcheck: string;
beforeAll(async () => {
  ({ path: shellcheck } = await findShellcheck());
});

const FAULTY = "#!/bin/sh\ncd $1\n";

const IS_SCRIPT = /^#!\S*[/ ](ba|da|k)?sh\b/;

/** Files of the checkout that git has or would take, and whose first line names a shell. */
async function scripts(): Promise<string[]> {
  const { stdout } = await runCommand("git", ["-C", root, "ls-files", "--cached", "--others", "--exclude-standard"], 30_000);
  const names = stdout.trim().split("\n");
  const isScript = await Promise.all(names.map(async (name) => IS_SCRIPT.test(await readFile(join(root, name), "utf8").catch(() => ""))));
  return names.filter((_, index) => isScript[index]);
}

test("ShellCheck finds nothing in any shell script, and would find a fault", async () => {
  const found = await scripts();
  expect(found).toContain(".ci/run");
  const paths = found.map((name) => join(root, name));
  expect(await runCommand(shellcheck, ["--norc", ...paths], 60_000)).toEqual({ code: 0, stdout: "", stderr: "" });
  const faulty = await runCommand("sh", ["-c", `printf '%s' "$1" | "$0" --norc -`, shellcheck, FAULTY], 30_000);
  expect(faulty).toMatchObject({ code: 1, stdout: expect.stringContaining("SC2086") });
});

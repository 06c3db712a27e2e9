import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../src/io/package-root.ts";
import { goTool } from "../support/go.ts";
import { type ProgramResult, runIn } from "../support/package.ts";
import { findShellcheck } from "../support/shellcheck.ts";

const here = (...path: string[]): string => join(packageRoot(), ...path);

let actionlint: string;
let shellcheck: string;
let folder: string;
beforeAll(async () => {
  actionlint = await goTool({ name: "actionlint", package: "github.com/rhysd/actionlint/cmd/actionlint", version: "v1.7.12" });
  ({ path: shellcheck } = await findShellcheck());
  folder = await mkdtemp(join(tmpdir(), "serin-actionlint-"));
  // As a repository that holds the action, so that its inputs are compared with those that are given.
  await mkdir(join(folder, ".git"));
  await mkdir(join(folder, ".github", "workflows"), { recursive: true });
  await mkdir(join(folder, "deploy", "github-action"), { recursive: true });
  await copyFile(here("deploy", "github-action", "action.yml"), join(folder, "deploy", "github-action", "action.yml"));
});
afterAll(() => rm(folder, { recursive: true }));

async function linted(workflow: string): Promise<ProgramResult> {
  const path = join(folder, ".github", "workflows", "tested.yml");
  await writeFile(path, workflow.replaceAll("OWNER/serin/deploy/github-action@v0.1.0", "./deploy/github-action"));
  const env = { PATH: process.env["PATH"] ?? "" };
  return runIn({ cwd: folder, env }, actionlint, "-no-color", `-shellcheck=${shellcheck}`, "-pyflakes=", path);
}

const example = (): Promise<string> => readFile(here("deploy", "github-action", "example.yml"), "utf8");

test("the example of a workflow and that of releases are clean", async () => {
  expect(await linted(await example())).toEqual({ code: 0, out: "", error: "" });
  expect(await linted(await readFile(here(".github", "workflows", "release.yml"), "utf8"))).toEqual({ code: 0, out: "", error: "" });
});

test("an input that the action does not have would be found", async () => {
  const { code, out } = await linted((await example()).replace("          mode: check", "          mod: check"));
  expect(code).toBe(1);
  expect(out).toContain('input "mod" is not defined in action "Serin"');
  expect(out).toContain('missing input "mode"');
});

test("a fault in a script of the workflow would be found", async () => {
  const release = await readFile(here(".github", "workflows", "release.yml"), "utf8");
  const { code, out } = await linted(release.replace('test "$TAG" =', "test $TAG ="));
  expect([code, out]).toEqual([1, expect.stringContaining("SC2086")]);
});

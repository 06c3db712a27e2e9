import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/io/package-root.ts";
import { systemdAnalyze } from "../support/systemd.ts";

const folder = join(packageRoot(), "deploy", "systemd");
const UNITS = ["serin-sidecar@.service", "serin-controller.service"];

let root: string;
/** A host on which the program and the users are. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "serin-root-"));
  const [units, programs] = [join(root, "etc", "systemd", "system"), join(root, "usr", "bin")];
  for (const made of [units, programs]) await mkdir(made, { recursive: true });
  for (const name of UNITS) await cp(join(folder, name), join(units, name));
  await writeFile(join(programs, "serin"), "#!/bin/sh\n", { mode: 0o755 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe.each(UNITS)("the unit %s", (name) => {
  test("is understood by systemd, every line of it", async () => {
    const { code, stderr } = await systemdAnalyze("verify", `--root=${root}`, "--man=no", "--recursive-errors=no", name.replace("@", "@0"));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("is exposed no more than the page says", async () => {
    const page = await readFile(join(packageRoot(), "docs", "hosts.md"), "utf8");
    const told = /calls the exposure (\d\.\d)/.exec(page)?.[1];
    const { stdout } = await systemdAnalyze("security", "--offline=true", "--no-pager", join(folder, name));
    const [, exposure] = /Overall exposure level for .*: (\d\.\d)/.exec(stdout) ?? [];
    expect(Number(exposure)).toBeLessThanOrEqual(Number(told));
  });
});

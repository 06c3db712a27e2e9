import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { packSerin, runIn } from "../support/package.ts";

test("the demo runs from the package in an empty folder with an empty home, and writes only into the user's cache", async () => {
  const packed = await packSerin();
  onTestFinished(packed.remove);
  const cwd = join(packed.folder, "app");
  await mkdir(cwd);
  const ran = await runIn({ cwd, env: packed.env }, "npx", "--yes", "--package", packed.tarball, "serin", "demo", "--json");
  expect({ code: ran.code, error: ran.code === 0 ? "" : ran.error }).toEqual({ code: 0, error: "" });
  expect(JSON.parse(ran.out.trim().split("\n").at(-1) ?? "")).toMatchObject({
    acts: [{ outcome: "promoted" }, { outcome: "rolledBack" }],
  });
  expect(await readdir(cwd)).toEqual([]);
  expect((await readdir(join(packed.env["HOME"] ?? "", ".cache", "serin", "tools"))).length).toBeGreaterThan(0);
});

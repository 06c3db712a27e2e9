import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { startProcess } from "../../src/demo/processes.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";

const SHOWS_PROCESSES = existsSync("/proc/self/cmdline");

test("the demo stopped by Ctrl-C leaves no process and no file behind", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sd-"));
  const known = Object.entries({ ...process.env, TMPDIR: directory });
  const env = Object.fromEntries(known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const lines: string[] = [];
  const demo = await startProcess({
    name: "demo",
    program: process.execPath,
    args: [join(packageRoot(), "dist", "src", "bin", "serin.js"), "demo", "--json"],
    env,
    onLine: (line) => lines.push(line),
  });
  onTestFinished(async () => void (await demo.stop()));
  await waitFor(() => lines.some((line) => line.includes("stage 1 of")), { deadlineMs: 60_000, what: "the first stage" });
  expect((await programsIn(directory)).length > 3 || !SHOWS_PROCESSES).toBe(true);
  // As a terminal does it: to the whole group that it started.
  process.kill(-demo.pid, "SIGINT");
  expect((await demo.ended).code).toBe(1);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ error: { code: "STOPPED" } });
  expect(await programsIn(directory)).toEqual([]);
  expect(await readdir(directory)).toEqual([]);
  await rm(directory, { recursive: true });
});

/** Command lines of running programs that name a directory, where the system shows them as files. */
async function programsIn(directory: string): Promise<string[]> {
  if (!SHOWS_PROCESSES) return [];
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => ""))); // ended meanwhile
  return lines.filter((line) => line.includes(directory));
}

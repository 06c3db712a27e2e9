import process from "node:process";
import { describe, expect, onTestFinished, test } from "vitest";
import { ProcessFailedError, type ProcessOptions, type RunningProcess, startProcess, whenReady } from "../../../src/demo/processes.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";

/** A Node process that runs this script. */
async function run(script: string, extra: Partial<ProcessOptions> = {}): Promise<RunningProcess> {
  const started = await startProcess({ name: "child", program: process.execPath, args: ["--eval", script], ...extra });
  onTestFinished(async () => void (await started.kill()));
  return started;
}

const says = (started: RunningProcess, text: string): Promise<boolean> =>
  waitFor(() => started.output().includes(text), { deadlineMs: 10_000, what: `"${text}"` });

describe("a started process", () => {
  test("is asked to stop, and may finish", async () => {
    const child = await run(`process.on("SIGTERM", () => process.exit(7)); console.log("up"); setInterval(() => {}, 1000)`);
    await says(child, "up");
    expect(await child.stop()).toEqual({ code: 7, signal: null });
    expect(child.isRunning()).toBe(false);
  });

  test("is killed when it does not stop within its grace", async () => {
    const child = await run(`process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)`);
    await says(child, "up");
    expect(await child.stop(20)).toEqual({ code: null, signal: "SIGKILL" });
  });

  test("can be stopped again when it has ended", async () => {
    const child = await run("");
    const end = await child.ended;
    expect(await child.stop()).toEqual(end);
  });

  test("hands on what it says line by line", async () => {
    const lines: string[] = [];
    const child = await run(`process.stdout.write("a\\nb"); process.stdout.write("c\\n"); console.error("d")`, {
      onLine: (line, from) => lines.push(`${from}: ${line}`),
    });
    await says(child, "d");
    await waitFor(() => lines.length === 3, { deadlineMs: 10_000, what: "three lines" });
    expect(lines.toSorted()).toEqual(["stderr: d", "stdout: a", "stdout: bc"]);
  });

  test("that ends before it is ready fails with what it said", async () => {
    const child = await run(`console.error("no licence"); process.exit(3)`);
    await says(child, "no licence");
    const never = new Promise<void>(() => undefined);
    await expect(whenReady(child, never)).rejects.toThrow("child did not become ready: it ended early (exit code 3)\nno licence");
  });

  test("that does not become ready in time is killed", async () => {
    const child = await run("setInterval(() => {}, 1000)");
    await expect(whenReady(child, Promise.reject(new Error("too late")))).rejects.toThrow("child did not become ready: too late");
    expect(child.isRunning()).toBe(false);
  });

  test("that cannot be run is refused by name", async () => {
    const started = startProcess({ name: "ghost", program: "/nowhere/ghost", args: [] });
    await expect(started).rejects.toThrow(ProcessFailedError);
    await expect(started).rejects.toThrow("ghost cannot be started: /nowhere/ghost");
  });
});

import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { packageRoot } from "../../../src/io/package-root.ts";
import type { Stops } from "../wire/bench.ts";

/** A process of a benchmark that is asked by lines and answers each with a line of JSON. */
export interface LineProcess {
  ask(line?: string): Promise<unknown>;
  /** Ends it without a word. */
  kill(): void;
}

/** Starts a file of `test/bench`; `--cpu-prof` of this process holds for that one too. */
export function startLineProcess(file: string, args: readonly string[], stops: Stops): LineProcess {
  const profiled = process.execArgv.filter((arg) => arg.startsWith("--cpu-prof"));
  const child = spawn(process.execPath, [...profiled, "--import", "tsx", join(packageRoot(), "test/bench", file), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = new Promise((resolve) => child.once("close", resolve));
  stops.push(async () => {
    child.stdin.end();
    await Promise.race([ended, delay(10_000)]);
    kill();
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    kill,
    async ask(line = "") {
      child.stdin.write(`${line}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${file} ended`);
      return JSON.parse(String(value));
    },
  };
}

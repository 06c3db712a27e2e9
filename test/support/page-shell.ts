import { spawn } from "node:child_process";
import process from "node:process";
import { waitFor } from "../../src/demo/wait-for.ts";

/** A line that was run, its exit code and what it wrote. */
export interface Ran {
  readonly line: string;
  readonly code: number;
  readonly out: string;
}

/** A shell in which a page's lines run one after the other, as in a terminal: jobs and variables stay. */
export interface PageShell {
  /** Runs a line to its end. */
  run(line: string): Promise<Ran>;
  /** Ends it with all that it started. */
  stop(): void;
}

const LINE_MS = 60_000;

/** Starts bash in that folder. */
export function startPageShell(cwd: string, env: NodeJS.ProcessEnv): PageShell {
  // A group of its own, so that nothing of it outlives the test.
  const shell = spawn("bash", ["-s"], { cwd, env, detached: true, stdio: ["pipe", "pipe", "ignore"] });
  const kill = (): void => {
    if (shell.pid !== undefined) process.kill(-shell.pid, "SIGKILL");
  };
  process.once("exit", kill);
  shell.once("exit", () => process.removeListener("exit", kill));
  let written = "";
  shell.stdout.setEncoding("utf8").on("data", (text: string) => {
    written += text;
  });
  // What goes wrong stands where it was written, before the end of its line.
  shell.stdin.write("exec 2>&1\n");
  return {
    async run(line) {
      written = "";
      shell.stdin.write(`${line}\nprintf "\\n@@ %s\\n" $?\n`);
      const code = await waitFor(() => /^@@ (\d+)$/m.exec(written)?.[1], { deadlineMs: LINE_MS, what: `the end of: ${line}` });
      return { line, code: Number(code), out: written.replace(/\n@@ \d+\n/, "") };
    },
    stop: kill,
  };
}

import { execFile } from "node:child_process";

/** What a command that ran to its end left behind. */
export interface CommandResult {
  /** Exit code; undefined when it could not be run, or was ended by a signal or the timeout. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; never throws. */
export type RunCommand = (program: string, args: readonly string[], timeoutMs: number) => Promise<CommandResult>;

/** Runs a real program, without a shell. */
export const runCommand: RunCommand = (program, args, timeoutMs) =>
  new Promise((resolve) => {
    execFile(program, [...args], { timeout: timeoutMs, encoding: "utf8" }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
      resolve({ code, stdout, stderr: stderr === "" && error !== null ? error.message : stderr });
    });
  });

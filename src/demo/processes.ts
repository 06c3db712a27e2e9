import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { SerinError } from "../contract/errors.ts";
import { EXIT } from "../contract/exit-codes.ts";

/** A program to start. */
export interface ProcessOptions {
  /** For messages, like `sidecar-0`. */
  readonly name: string;
  /** Path of the program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the child; the parent's when absent. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each line of stdout and stderr. */
  readonly onLine?: (line: string, from: "stdout" | "stderr") => void;
}

/** How a process ended; exactly one of the two is set. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started process. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  isRunning(): boolean;
  /** The last 16 KiB that it wrote, to show when it fails. */
  output(): string;
  /** Resolves when it has ended, however it ended. */
  readonly ended: Promise<ProcessEnd>;
  /** SIGTERM, and SIGKILL after the grace. Resolves when it has ended. */
  stop(graceMs?: number): Promise<ProcessEnd>;
  /** SIGKILL at once. Resolves when it has ended. */
  kill(): Promise<ProcessEnd>;
  /** Stops it in its tracks (SIGSTOP) until `resume`. */
  freeze(): void;
  resume(): void;
}

/** A process that could not be started or ended before it was ready, with what it said last. */
export class ProcessFailedError extends SerinError {
  override readonly name = "ProcessFailedError";
  constructor(message: string, options?: ErrorOptions) {
    super("PROCESS_FAILED", EXIT.ourError, message, options);
  }
}

const KEPT_BYTES = 16_384;
const GRACE_MS = 5_000;

/** Starts a program; throws ProcessFailedError when it cannot be run at all. It dies with this process. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { name, program, args, cwd, env } = options;
  // A group of its own: Ctrl-C in a terminal goes to a whole group, and it is for this process to stop the others in order.
  const child = spawn(program, [...args], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    ...(cwd && { cwd }),
    ...(env && { env }),
  });
  const output = keepOutput(child, options.onLine);
  const ended = new Promise<ProcessEnd>((resolve) => {
    // "close" comes after the last line of output, "exit" may come before it.
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw new ProcessFailedError(`${name} cannot be started: ${program}`, { cause });
  }
  // A parent that ends on an error must leave no servers behind.
  const killWithParent = (): void => void child.kill("SIGKILL");
  process.once("exit", killWithParent);
  void ended.then(() => process.removeListener("exit", killWithParent));

  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const stop = async (graceMs = GRACE_MS): Promise<ProcessEnd> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    const end = await ended;
    clearTimeout(timer);
    return end;
  };
  return {
    name,
    pid: child.pid ?? 0,
    isRunning,
    output,
    ended,
    stop,
    kill: () => {
      child.kill("SIGKILL");
      return ended;
    },
    freeze: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
  };
}

/** Waits for `ready`, but no longer than the process lives; when it does not come, stops it and says what it said last. */
export async function whenReady<Ready>(started: RunningProcess, ready: Promise<Ready>): Promise<Ready> {
  const tooEarly = started.ended.then(({ code, signal }): never => {
    throw new Error(`it ended early (${signal ?? `exit code ${code}`})`);
  });
  try {
    return await Promise.race([ready, tooEarly]);
  } catch (cause) {
    await started.kill();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProcessFailedError(`${started.name} did not become ready: ${reason}\n${started.output()}`, { cause });
  } finally {
    // The loser of the race is answered here, else it would be an unhandled rejection later.
    tooEarly.catch(() => undefined);
    ready.catch(() => undefined);
  }
}

function keepOutput(child: ChildProcess, onLine: ProcessOptions["onLine"]): () => string {
  let kept = "";
  for (const from of ["stdout", "stderr"] as const) {
    let rest = "";
    child[from]?.setEncoding("utf8").on("data", (text: string) => {
      kept = (kept + text).slice(-KEPT_BYTES);
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine?.(line, from);
    });
  }
  return () => kept;
}

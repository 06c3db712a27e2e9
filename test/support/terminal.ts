import { spawn } from "node:child_process";
import { once } from "node:events";
import { waitFor } from "../../src/demo/wait-for.ts";

const COLUMNS = 110;
const ROWS = 40;

/** A program in a terminal of its own: what its screen shows, and keys for it. */
export interface TerminalRun {
  /** The lines that stand on the screen now. */
  screen(): string[];
  /** Everything that was written. */
  written(): string;
  press(keys: string): void;
  /** Waits until a line of the screen is as wanted; tells it. */
  waitForLine(wanted: RegExp): Promise<string>;
  /** The exit code. */
  readonly ended: Promise<number>;
  stop(): void;
}

/** Runs a shell's line in a pseudo-terminal of util-linux' `script`, which is part of each Debian. */
export function runInTerminal(line: string, env: NodeJS.ProcessEnv): TerminalRun {
  const child = spawn("/usr/bin/script", ["-qfec", `stty cols ${COLUMNS} rows ${ROWS}; ${line}`, "/dev/null"], {
    env: { ...env, TERM: "xterm-256color", NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let written = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    written += text;
  });
  const screen = (): string[] => screenOf(written);
  return {
    screen,
    written: () => written,
    press: (keys) => void child.stdin.write(keys),
    waitForLine: (wanted) =>
      waitFor(() => screen().find((text) => wanted.test(text)), { deadlineMs: 30_000, what: `a line like ${wanted} on the screen` }),
    ended: once(child, "exit").then(([code]) => Number(code)),
    stop: () => void child.kill("SIGKILL"),
  };
}

// Places the cursor, erases the rest of a line or all below, takes another screen; other text stands where the cursor is.
// oxlint-disable-next-line eslint/no-control-regex -- these are what a program writes to a terminal
const PIECES = /\u001b\[(\d+);1H|\u001b\[(K|J|2J|\?1049h)|\u001b\[[?\d;]*[A-Za-z]|([^\u001b]+)/g;

/** The screen that a program has drawn, as far as it only writes whole lines. */
function screenOf(written: string): string[] {
  let lines: string[] = [];
  let row = 0;
  let column = 0;
  for (const [, place, erase, text] of written.matchAll(PIECES)) {
    if (place !== undefined) [row, column] = [Number(place) - 1, 0];
    else if (erase === "K") lines[row] = (lines[row] ?? "").slice(0, column);
    else if (erase === "J") lines = lines.slice(0, row);
    else if (erase !== undefined) lines = [];
    else if (text !== undefined) {
      lines[row] = text;
      column = text.length;
    }
  }
  return lines.map((line) => line ?? "");
}

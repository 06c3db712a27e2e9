import type { ReadStream, WriteStream } from "node:tty";
import type { Terminal } from "../cli/live/frame.ts";

/** A process with its standard streams. */
interface Process {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  once(event: "exit", listener: () => void): unknown;
  off(event: "exit", listener: () => void): unknown;
}

/** The terminal that a process writes to; undefined where its output is none that can be drawn on. */
export function terminalOf(process: Process): Terminal | undefined {
  const { stdin, stdout, env } = process;
  if (!stdout.isTTY || env["TERM"] === "dumb") return undefined;
  const onKey = (listener: (key: string) => void): (() => void) => {
    const hear = (data: Buffer): void => listener(data.toString("utf8"));
    stdin.setRawMode(true);
    stdin.on("data", hear);
    return () => {
      stdin.off("data", hear);
      stdin.setRawMode(false);
      // A stdin that is read keeps the program alive.
      stdin.pause();
    };
  };
  return {
    columns: () => stdout.columns,
    rows: () => stdout.rows,
    isColoured: (env["NO_COLOR"] ?? "") === "",
    write: (text) => void stdout.write(text),
    ...(stdin.isTTY && { onKey }),
    onResize(listener) {
      stdout.on("resize", listener);
      return () => void stdout.off("resize", listener);
    },
    atExit(text) {
      const write = (): void => void stdout.write(text);
      process.once("exit", write);
      return () => void process.off("exit", write);
    },
  };
}

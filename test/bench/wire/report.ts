import { cpus, release } from "node:os";
import process from "node:process";
import type { Flags } from "./flags.ts";

/** What a benchmark found. */
export interface Report {
  /** The command that makes it again. */
  readonly command: string;
  /** Versions of what took part, like `Envoy 1.40.0`. */
  readonly versions: readonly string[];
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences below the table. */
  readonly remarks: readonly string[];
  /** Everything that was measured, for --json. */
  readonly details: unknown;
}

/** Processor and kernel: a figure says nothing without them. */
const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} cores, ${process.platform} ${release()} ${process.arch}`;

/** Prints a report to stdout. */
export function printReport({ details, ...report }: Report, output: Flags["output"]): void {
  const { command, versions, columns, rows, remarks } = report;
  if (output === "json") {
    process.stdout.write(`${JSON.stringify({ machine: machine(), ...report, details }, null, 2)}\n`);
    return;
  }
  const isMarkdown = output === "markdown";
  const header = [`${isMarkdown ? `\`${command}\`` : command} · ${machine()} · ${versions.join(", ")}`, ""];
  const footer = remarks.length === 0 ? [] : ["", ...remarks];
  process.stdout.write(`${[...header, ...tableLines(columns, rows, isMarkdown), ...footer].join("\n")}\n`);
}

function tableLines(columns: readonly string[], rows: readonly (readonly string[])[], isMarkdown: boolean): string[] {
  const widths = columns.map((column, index) => Math.max(...[column, ...rows.map((row) => row[index] ?? "")].map((cell) => cell.length)));
  const line = (cells: readonly string[]): string => {
    // Names to the left, figures to the right.
    const padded = widths.map((width, index) => (index === 0 ? (cells[0] ?? "").padEnd(width) : (cells[index] ?? "").padStart(width)));
    return isMarkdown ? `| ${padded.join(" | ")} |` : padded.join("  ");
  };
  const rule = widths.map((width, index) => (index === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(columns), ...(isMarkdown ? [line(rule)] : []), ...rows.map(line)];
}

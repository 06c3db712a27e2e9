import { EXIT, type ExitCode } from "./exit-codes.ts";

/** One fault of a document; `line` and `column` count from 1. */
export type Fault = Readonly<{ file: string; line: number; column: number; path: string; problem: string; fix: string }>;

/** `file:line:column: path: problem; fix`, the way compilers write, so that editors can jump there. */
const faultLine = ({ file, line, column, path, problem, fix }: Fault): string =>
  `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${problem}; ${fix}`;

/** An error that the command line answers with its own exit code and no stack. */
export class SerinError extends Error {
  override readonly name: string = "SerinError";
  readonly code: string;
  readonly exitCode: ExitCode;

  constructor(code: string, exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** A file of the user's that cannot be used, with all its faults. */
export class DocumentError extends SerinError {
  override readonly name = "DocumentError";
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[], options?: ErrorOptions) {
    super("DOCUMENT_INVALID", EXIT.usage, faults.map(faultLine).join("\n"), options);
    this.faults = faults;
  }
}

/** Command line or environment that makes no sense. */
export class UsageError extends SerinError {
  override readonly name = "UsageError";
  constructor(message: string, options?: ErrorOptions) {
    super("USAGE", EXIT.usage, message, options);
  }
}

/** Nobody leads, or NATS does not answer. */
export class NoLeaderError extends SerinError {
  override readonly name = "NoLeaderError";
  constructor(message: string, options?: ErrorOptions) {
    super("NO_LEADER", EXIT.timedOut, message, options);
  }
}

/** NATS does not allow its user what a command does. */
export class NotAllowedError extends SerinError {
  override readonly name = "NotAllowedError";
  constructor(message: string, options?: ErrorOptions) {
    super("NOT_ALLOWED", EXIT.refused, message, options);
  }
}

/** A needed program cannot be found or brought. */
export class ProgramMissingError extends SerinError {
  override readonly name = "ProgramMissingError";
  constructor(message: string, options?: ErrorOptions) {
    super("PROGRAM_MISSING", EXIT.programMissing, message, options);
  }
}

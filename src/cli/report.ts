import { CommanderError } from "commander";
import { DocumentError, SerinError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { CliParts } from "./parts.ts";

/** Prints an error as the command line answers it. */
export function report(error: unknown, json: boolean, parts: CliParts): ExitCode {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
  // Said already, on stderr.
  if (error instanceof CommanderError) {
    if (json) parts.out(`${JSON.stringify({ error: { code: "USAGE", message: error.message.replace(/^error: /, "") } })}\n`);
    return EXIT.usage;
  }
  const known = error instanceof SerinError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const code = known?.code ?? "INTERNAL";
  if (json)
    parts.out(`${JSON.stringify({ error: { code, message, ...(error instanceof DocumentError ? { faults: error.faults } : {}) } })}\n`);
  else if (known !== undefined) parts.error(`${message}\n`);
  else parts.error(`${error instanceof Error ? (error.stack ?? message) : message}\n`);
  return known?.exitCode ?? EXIT.ourError;
}

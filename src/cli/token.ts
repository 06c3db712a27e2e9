import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { Role } from "../contract/roles.ts";
import { digestOf, isTokenName, newToken, tokenLine } from "../io/tokens.ts";
import type { CliParts } from "./parts.ts";

export interface TokenFlags {
  readonly role: Role;
  readonly name: string;
  readonly json?: boolean;
}

/** Makes a token, and the line by which controllers know it. It is shown once and kept nowhere. */
export function token({ role, name, json }: TokenFlags, parts: CliParts): ExitCode {
  if (!isTokenName(name)) throw new UsageError(`--name ${JSON.stringify(name)}: write 1 to 100 of letters, digits, . _ @ and -`);
  const made = newToken();
  const line = tokenLine({ name, role, digest: digestOf(made) });
  if (json === true) parts.out(`${JSON.stringify({ token: made, line })}\n`);
  else parts.out(`token, for whoever is ${name}; it is shown only now:\n${made}\nline for the file of --tokens:\n${line}\n`);
  return EXIT.done;
}

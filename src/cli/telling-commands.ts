import { Option } from "commander";
import { ACTION_NAMES } from "../contract/actions.ts";
import type { ExitCode } from "../contract/exit-codes.ts";
import { ROLES } from "../contract/roles.ts";
import type { AuditFlags } from "./audit.ts";
import type { DiffFlags } from "./diff.ts";
import { collect, parseSince } from "./flags.ts";
import type { HistoryFlags } from "./history.ts";
import type { LintFlags } from "./lint.ts";
import type { CliParts } from "./parts.ts";
import type { TokenFlags } from "./token.ts";
import type { Add } from "./verb-commands.ts";

interface Commands {
  readonly command: Add;
  readonly online: Add;
  readonly parts: CliParts;
  done(code: ExitCode): void;
}

/** Commands that tell what is, was or would be, and change nothing. */
export function addTelling({ command, online, parts, done }: Commands): void {
  const files = ["-f, --file <file>", "file of rollouts, segments and the policy; may be repeated", collect] as const;
  command("lint", "check files without a server, and warn of what may be wrong")
    .requiredOption(...files)
    .action(async (flags: LintFlags) => done(await (await import("./lint.ts")).lint(flags, parts)));
  online("diff", "tell what `apply` of files would change")
    .requiredOption(...files)
    .action(async (flags: DiffFlags) => done(await (await import("./diff.ts")).diff(flags, parts)));
  online("history <name>", "tell of a rollout's attempts: who, when, how each ended and why")
    .option("--steps", "with every step")
    .action(async (name: string, flags: HistoryFlags) => done(await (await import("./history.ts")).history(name, flags, parts)));
  online("audit [name]", "print who did what and when, oldest first; with --json an object a line")
    .option("--since <time>", "like 2h, or 2026-03-10T09:00:00Z", parseSince)
    .option("--action <action>", `only these, like rollback; may be repeated: ${ACTION_NAMES.join(", ")}`, collect)
    .option("--follow", "go on with what comes")
    .action(async (name: string | undefined, flags: AuditFlags) => done(await (await import("./audit.ts")).audit(name, flags, parts)));
  command("token", "make a token for the HTTP API and for commands (SERIN_TOKEN), and the line by which controllers know it")
    .addOption(new Option("--role <role>", "what its bearer may do").choices(Object.keys(ROLES)).makeOptionMandatory())
    .requiredOption("--name <name>", "who its bearer is, as the audit tells it")
    .action(async (flags: TokenFlags) => done((await import("./token.ts")).token(flags, parts)));
}

import type { Command } from "commander";
import type { ExitCode } from "../contract/exit-codes.ts";
import { parseUntil } from "./flags.ts";
import type { CliParts } from "./parts.ts";
import type { FreezeFlags } from "./send-freeze.ts";
import type { Add } from "./verb-commands.ts";

/** Adds what stops all rollouts from advancing, and what lets them go on. */
export function addFreeze(online: Add, parts: CliParts, done: (code: ExitCode) => void): void {
  const verb = (name: "freeze" | "unfreeze", description: string): Command =>
    online(name, description)
      .option("--reason <text>", "shown, and kept in the audit")
      .action(async (flags: FreezeFlags) => {
        const { sendFreeze } = await import("./send-freeze.ts");
        done(await sendFreeze(name, flags, parts));
      });
  verb("freeze", "no rollout advances any more; what goes back still does").option(
    "--until <time>",
    "when it ends by itself: like 2026-03-10T09:00:00Z, or 2h from now",
    parseUntil,
  );
  verb("unfreeze", "let rollouts advance again");
}

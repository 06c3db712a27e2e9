import { Argument, type Command } from "commander";
import type { ExitCode } from "../contract/exit-codes.ts";
import type { Shell } from "./completion-scripts.ts";
import { jsonOption } from "./flags.ts";
import type { CliParts } from "./parts.ts";

const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

/** Adds what shells complete command lines with. */
export function addCompletion(program: Command, parts: CliParts, done: (code: ExitCode) => void): void {
  program
    .command("completion")
    .description("print what bash, zsh or fish need to complete command lines, names of rollouts too: source <(serin completion bash)")
    .addArgument(new Argument("<shell>", "whose").choices(SHELLS))
    .addOption(jsonOption())
    .action(async (shell: Shell, flags: { json?: boolean }) => {
      const script = (await import("./completion-scripts.ts")).completionScript(shell);
      parts.out(flags.json === true ? `${JSON.stringify({ shell, script })}\n` : script);
    });
  // Not for people: the shells ask it.
  program
    .command("complete [words...]", { hidden: true })
    .action(async (words: string[]) => done(await (await import("./complete.ts")).complete(program, words, parts)));
}

import { type Command, Option } from "commander";
import type { ExitCode } from "../contract/exit-codes.ts";
import { parseDuration, signingOption } from "./flags.ts";
import type { KillFlags } from "./kill.ts";
import type { LinkFlags } from "./link.ts";
import type { CliParts } from "./parts.ts";
import type { VerbFlags } from "./verbs.ts";

/** Begins another command of the command line; `online` ones are told where NATS is. */
export type Add = (name: string, description: string) => Command;

/** Adds what operators ask of the leader. */
export function addVerbs(online: Add, parts: CliParts, done: (code: ExitCode) => void): void {
  const verb = (
    name: "promote" | "pause" | "resume" | "retry" | "undo" | "handover" | "delete" | "forget",
    subject: string,
    description: string,
  ): Command =>
    online(`${name} <${subject}>`, description)
      .option("--reason <text>", "kept in the audit")
      .addOption(signingOption(parts.operatorKey))
      .action(async (target: string, flags: VerbFlags) => done(await (await import("./verbs.ts")).sendVerb(name, target, flags, parts)));
  verb("promote", "name", "go to the next stage now")
    .option("--full", "straight to 100 %")
    .option("--variant <name>", "of an A/B test: the variant that everyone gets; the first when absent")
    .option("--override", "in spite of what holds it, like a freeze; needs --reason");
  verb("pause", "name", "stay at this share; the canary is still judged");
  verb("resume", "name", "go on");
  online("abort <name>", "send everyone back to stable")
    .option("--reason <text>", "kept in the audit")
    .option("--now", "everyone at once, also where the rollout goes back in steps")
    .option("--emergency", "by a signed order that needs no controller, like `serin kill`")
    .addOption(signingOption(parts.operatorKey))
    .action(async (target: string, { emergency, ...flags }: VerbFlags & KillFlags & { emergency?: boolean }) => {
      if (emergency === true) done(await (await import("./kill.ts")).kill(target, flags, parts));
      else done(await (await import("./verbs.ts")).sendVerb("abort", target, flags, parts));
    });
  online("link <name>", "print a link by which one person may promote or abort once, for gates")
    .requiredOption("--for <who>", "the person, as approvers are named")
    .addOption(new Option("--verb <verb>", "what the link does").choices(["promote", "abort"]).default("promote"))
    .requiredOption("--at <url>", "address of a controller's --http, as that person reaches it")
    .addOption(new Option("--expires <duration>", "how long it may be used").argParser(parseDuration).default(3_600_000, "1h"))
    .addOption(signingOption(parts.operatorKey))
    .action(async (target: string, flags: LinkFlags) => done(await (await import("./link.ts")).link(target, flags, parts)));
  verb("retry", "name", "try a rolled-back rollout again: the same plan, new runs, evidence anew");
  verb("undo", "name", "go back to the version before, at once; after a hand-over by the plan before");
  verb("handover", "name", "say that stable's cluster runs the new version, so that the rule may rest");
  verb("delete", "name", "remove a rollout that has ended; its history stays");
  verb("forget", "sidecar", "wait for a sidecar no more that is gone for good");
}

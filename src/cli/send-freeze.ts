import type { ExitCode } from "../contract/exit-codes.ts";
import { FORMAT } from "../contract/names.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { withNats } from "./connection.ts";
import type { CliParts } from "./parts.ts";
import { exitOf, printReply, send } from "./verbs.ts";

/** What `freeze` and `unfreeze` take. */
export interface FreezeFlags extends NatsFlags {
  readonly until?: Until;
  readonly reason?: string;
  readonly json?: boolean;
}

/** Gives the end for what is now; both Unix milliseconds. */
type Until = (nowMs: number) => number;

/** Stops all rollouts from advancing, or lets them go on. */
export async function sendFreeze(
  verb: "freeze" | "unfreeze",
  { until, reason, json, ...flags }: FreezeFlags,
  parts: CliParts,
): Promise<ExitCode> {
  const command = {
    format: FORMAT,
    id: parts.newId(),
    verb,
    who: { name: parts.user, claimed: true },
    ...(until === undefined ? {} : { untilMs: until(parts.nowMs()) }),
    ...(reason === undefined ? {} : { reason }),
  } as const;
  const reply = await withNats(flags, (link) => send(link, command, parts));
  printReply(verb, reply, { ...(json === undefined ? {} : { json }) }, parts);
  return exitOf(reply);
}

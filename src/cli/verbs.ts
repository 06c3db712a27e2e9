import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { Command, Reply, Verb } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import { readSigningKey } from "../io/kill-signatures.ts";
import type { NatsLink } from "../io/nats.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { signPass } from "../io/passes.ts";
import { sendCommand } from "../io/store.ts";
import { digestOf } from "../io/tokens.ts";
import { withNats } from "./connection.ts";
import type { CliParts } from "./parts.ts";

export interface VerbFlags extends NatsFlags {
  readonly full?: boolean;
  readonly variant?: string;
  readonly override?: boolean;
  readonly now?: boolean;
  readonly reason?: string;
  readonly signWith?: string;
  readonly json?: boolean;
}

/** What a command itself may say. */
type Signed = Omit<VerbFlags, keyof NatsFlags | "json">;

const COMMAND_MS = 5_000;
/** Longer than a command takes, also where clocks differ a little. */
const PASS_MS = 60_000;

/** Sends a command to the leader; the bearer of a token vouches for it. */
export const send = (link: NatsLink, command: Command, { token, nowMs }: Pick<CliParts, "token" | "nowMs">): Promise<Reply> =>
  sendCommand(link, command, COMMAND_MS, token === undefined ? undefined : { digest: digestOf(token), nowMs: nowMs() });

/** One of the operator's verbs, as it is asked for by name. */
export type OperatorVerb = Exclude<Verb, "apply" | "store" | "freeze" | "unfreeze">;

/** Sends one of the operator's verbs to the leader, tells its answer, and means it by the exit code; `name` is a rollout, or a sidecar for `forget`. */
export async function sendVerb(verb: OperatorVerb, name: string, flags: VerbFlags, parts: CliParts): Promise<ExitCode> {
  const command = await commandOf(verb, name, flags, parts);
  const reply = await withNats(flags, (link) => send(link, command, parts));
  printReply(name, reply, flags, parts);
  return exitOf(reply);
}

/** What is sent for a verb, signed where somebody signs. */
export async function commandOf(
  verb: OperatorVerb,
  name: string,
  flags: Signed,
  parts: Pick<CliParts, "user" | "newId" | "nowMs">,
): Promise<Command> {
  const id = parts.newId();
  return {
    format: FORMAT,
    id,
    verb,
    ...(await passFor({ id, verb, rollout: name }, flags, parts)),
    who: { name: parts.user, claimed: true },
    ...(verb === "forget" ? { sidecar: name } : { rollout: name }),
    ...(flags.full === undefined ? {} : { full: flags.full }),
    ...(flags.variant === undefined ? {} : { variant: flags.variant }),
    ...(flags.now === undefined ? {} : { now: flags.now }),
    ...(flags.override === undefined ? {} : { override: flags.override }),
    ...(flags.reason === undefined ? {} : { reason: flags.reason }),
  };
}

/** A signed command's pass, for a minute; nothing where nobody signs, or where no gate could ask who it was. */
async function passFor(
  command: Readonly<{ id: string; verb: OperatorVerb; rollout: string }>,
  { signWith, full, variant, override, now }: Signed,
  parts: Pick<CliParts, "user" | "nowMs">,
): Promise<Pick<Command, "pass">> {
  const { verb } = command;
  if (signWith === undefined || verb === "forget" || verb === "delete") return {};
  const key = await readSigningKey(signWith);
  const pass = {
    ...command,
    format: FORMAT,
    verb,
    who: parts.user,
    full,
    variant,
    override,
    now,
    untilMs: parts.nowMs() + PASS_MS,
  } as const;
  return { pass: signPass(pass, key) };
}

/** The exit code that a reply means. */
export function exitOf({ result }: Reply): ExitCode {
  switch (result) {
    case "done":
    case "unchanged":
      return EXIT.done;
    case "refused":
      return EXIT.refused;
    case "invalid":
      return EXIT.usage;
    case "failed":
      return EXIT.ourError;
  }
}

export function printReply(name: string, reply: Reply, { json }: { json?: boolean }, parts: CliParts): void {
  if (json === true) parts.out(`${JSON.stringify({ name, ...reply })}\n`);
  else if (exitOf(reply) === EXIT.done) parts.out(`${name}: ${reply.message}\n`);
  else parts.error(`${name}: ${reply.result}: ${reply.message}\n`);
}

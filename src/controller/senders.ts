import type { Command, Who } from "../contract/messages.ts";
import type { Role } from "../contract/roles.ts";
import type { Clock } from "../io/clock.ts";
import type { Heard } from "../io/nats.ts";
import type { TokenBook } from "../io/tokens.ts";
import { type Vouch, vouchFault, vouchIn } from "../io/vouching.ts";

import type { Incoming } from "./incoming.ts";

/** Who sends a command: the bearer of a token, somebody whose token does not hold, or whoever the command says. */
export type Sender = Readonly<{ name: string; role: Role }> | Readonly<{ refused: string }> | "unproven";

interface Hears {
  onCommand(message: Incoming, respond: (text: string) => void, sender: Sender): void;
}

interface Hearing {
  readonly tokens: TokenBook | undefined;
  readonly clock: Clock;
}

/** Hands a command on with what is known of its sender. */
export async function hearCommand(message: Heard, term: Hears, { tokens, clock }: Hearing): Promise<void> {
  const sender = await senderOf(message.data, vouchIn(message.header), { tokens, nowMs: clock.nowMs() });
  term.onCommand(message, (text) => message.respond(text), sender);
}

/** Looks up who vouches for a command. Where this controller knows no tokens nobody can. */
export async function senderOf(
  data: Uint8Array,
  vouch: Vouch | undefined,
  { tokens, nowMs }: Readonly<{ tokens: TokenBook | undefined; nowMs: number }>,
): Promise<Sender> {
  if (vouch === undefined || tokens === undefined) return "unproven";
  const token = await tokens.byId(vouch.id);
  if (token === undefined) return { refused: "the leader does not know this token; give all controllers the same --tokens FILE" };
  const fault = vouchFault(vouch, data, token.digest, nowMs);
  return fault === undefined ? { name: token.name, role: token.role } : { refused: fault };
}

/** Who stands in the audit. */
export const whoOf = (sender: Sender, { who }: Pick<Command, "who">): Who =>
  typeof sender === "object" && "name" in sender ? { name: sender.name, claimed: false } : { ...who, claimed: true };

/** Why a sender may not give a command to a rollout in this phase; undefined where it may. */
export function denial(
  sender: Sender,
  { verb, dryRun, full, override }: Pick<Command, "verb" | "dryRun" | "full" | "override">,
  phase?: string,
): string | undefined {
  if (sender === "unproven") return undefined;
  if ("refused" in sender) return sender.refused;
  if (sender.role === "operate" || (verb === "apply" && dryRun === true)) return undefined;
  const isGate = phase === "gate" && ((verb === "promote" && full !== true && override !== true) || verb === "abort");
  if (sender.role === "approve" && isGate) return undefined;
  const may = sender.role === "view" ? "only look" : "only look, and promote or abort what waits at a gate";
  return `${sender.name} may ${may}; ${verb} needs a token with the role operate`;
}

import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { FORMAT } from "../contract/names.ts";
import { LINK_PATH, type Pass } from "../contract/passes.ts";
import { readSigningKey } from "../io/kill-signatures.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { signPass } from "../io/passes.ts";
import { readLive } from "../io/store.ts";
import { withNats } from "./connection.ts";
import type { CliParts } from "./parts.ts";
import { noSuchRollout } from "./status.ts";

export interface LinkFlags extends NatsFlags {
  readonly for: string;
  readonly verb: "promote" | "abort";
  readonly at: string;
  /** Milliseconds. */
  readonly expires: number;
  readonly signWith?: string;
  readonly json?: boolean;
}

/** Prints a link that lets one person do one thing once, to the run that is in force now. */
export async function link(rollout: string, flags: LinkFlags, parts: CliParts): Promise<ExitCode> {
  const { signWith, verb, expires, at } = flags;
  if (signWith === undefined) throw new UsageError("a link is signed; give --sign-with FILE or SERIN_OPERATOR_KEY, an Ed25519 key in PEM");
  if (!URL.canParse(at)) throw new UsageError(`--at ${at} is no address; write one like https://serin.example`);
  const key = await readSigningKey(signWith);
  const live = await withNats(flags, (nats) => readLive(nats, rollout));
  if (live === undefined) throw noSuchRollout(rollout);
  const untilMs = parts.nowMs() + expires;
  const pass: Pass = { format: FORMAT, id: parts.newId(), verb, rollout, run: live.plan.run, who: flags.for, untilMs };
  const url = new URL(LINK_PATH, at);
  url.searchParams.set("pass", signPass(pass, key));
  parts.out(flags.json === true ? `${JSON.stringify({ url: url.href, ...pass })}\n` : `${url.href}\n`);
  return EXIT.done;
}

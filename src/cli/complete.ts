import type { Command } from "commander";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { listRollouts } from "../io/store.ts";
import { type Offer, offersFor, valueIn } from "./completion.ts";
import { withNats } from "./connection.ts";
import { DEFAULT_NATS } from "./flags.ts";
import type { CliParts } from "./parts.ts";

/** Prints what may complete a line, for the scripts of `completion`. Where NATS does not answer there are no names. */
export async function complete(program: Command, words: readonly string[], parts: CliParts): Promise<ExitCode> {
  const { offers, wantsRollout } = offersFor(program, words);
  const names = wantsRollout ? await rolloutsLike(words.at(-1) ?? "", natsOf(words, parts)) : [];
  for (const { value, meaning } of [...offers, ...names]) parts.out(`${value}\t${meaning}\n`);
  return EXIT.done;
}

const natsOf = (words: readonly string[], { defaultNats = DEFAULT_NATS, natsCreds, natsCa }: CliParts): NatsFlags => ({
  nats: valueIn(words, "--nats") ?? defaultNats,
  natsCreds: valueIn(words, "--nats-creds") ?? natsCreds,
  natsCa: valueIn(words, "--nats-ca") ?? natsCa,
});

const rolloutsLike = (begin: string, nats: NatsFlags): Promise<Offer[]> =>
  withNats(nats, async (link) => (await listRollouts(link)).filter((name) => name.startsWith(begin))).then(
    (names) => names.map((value) => ({ value, meaning: "rollout" })),
    // Nobody who presses Tab wants to read why.
    () => [],
  );

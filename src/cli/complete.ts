import type { Command } from "commander";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { listRollouts } from "../io/store.ts";
import { natsIn, type Offer, offersFor } from "./completion.ts";
import { withNats } from "./connection.ts";
import type { CliParts } from "./parts.ts";

/** Prints what may complete a line, for the scripts of `completion`. Where NATS does not answer there are no names. */
export async function complete(program: Command, words: readonly string[], nats: string, parts: CliParts): Promise<ExitCode> {
  const { offers, wantsRollout } = offersFor(program, words);
  const names = wantsRollout ? await rolloutsLike(words.at(-1) ?? "", natsIn(words) ?? nats) : [];
  for (const { value, meaning } of [...offers, ...names]) parts.out(`${value}\t${meaning}\n`);
  return EXIT.done;
}

const rolloutsLike = (begin: string, nats: string): Promise<Offer[]> =>
  withNats(nats, async (link) => (await listRollouts(link)).filter((name) => name.startsWith(begin))).then(
    (names) => names.map((value) => ({ value, meaning: "rollout" })),
    // Nobody who presses Tab wants to read why.
    () => [],
  );

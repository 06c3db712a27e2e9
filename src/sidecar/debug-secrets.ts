import { createHash, timingSafeEqual } from "node:crypto";
import { UsageError } from "../contract/errors.ts";
import { readSecretLines } from "../io/secret-lines.ts";

/** Whether a value of the debug header is one of the secrets; how long that takes says nothing of them. */
export type DebugSecrets = (given: string) => boolean;

const MIN_LENGTH = 16;

/** Reads the secrets of `--debug-secret`. Throws UsageError where a line is too short or no header can carry it. */
export async function readDebugSecrets(file: string): Promise<DebugSecrets> {
  const lines = await readSecretLines(file);
  for (const { text, at } of lines) {
    if (text.length < MIN_LENGTH || !/^[!-~]+$/.test(text))
      throw new UsageError(
        `${at}: not a secret of at least ${MIN_LENGTH} letters, digits and signs; make one with \`openssl rand -hex 16\``,
      );
  }
  const hashes = lines.map(({ text }) => hashOf(text));
  return (given) => {
    const hash = hashOf(given);
    return hashes.filter((one) => timingSafeEqual(one, hash)).length > 0;
  };
}

const hashOf = (text: string): Buffer => createHash("sha256").update(text).digest();

import { readFile } from "node:fs/promises";
import { UsageError } from "../contract/errors.ts";

/** A line of a file of secrets: what the line holds, and where it stands, as in `keys.txt:2`. */
export interface SecretLine {
  readonly text: string;
  readonly at: string;
}

/** Secrets of a file, one a line; empty lines are left out. Throws UsageError, which never shows a secret. */
export async function readSecretLines(file: string): Promise<SecretLine[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`${file} cannot be read; write one secret a line into it`, { cause });
  }
  const filled = filledLines(file, text);
  if (filled.length === 0) throw new UsageError(`${file} is empty; write one secret a line into it`);
  return filled;
}

/** The lines of a file that hold something. */
export const filledLines = (file: string, text: string): SecretLine[] =>
  text
    .split(/\r?\n/)
    .map((line, index) => ({ text: line.trim(), at: `${file}:${index + 1}` }))
    .filter((line) => line.text !== "");

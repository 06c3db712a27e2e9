import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/io/package-root.ts";

/** What replaces what, in order; each must be found exactly once. */
export type Replacements = readonly (readonly [before: string, after: string])[];

/**
 * A shipped file for another place: without the comment at its top, which says how the shipped one is used. Throws where what is to be
 * replaced does not stand there once: then the shipped file has changed, and the list must follow.
 */
export function followed(source: string, replacements: Replacements): string {
  const shipped = readFileSync(join(packageRoot(), source), "utf8").replace(/^(#.*\n)+/, "");
  const text = replacements.reduce((before, [what, by]) => {
    const parts = before.split(what);
    if (parts.length !== 2)
      throw new Error(
        `${source}: ${JSON.stringify(what)} stands ${parts.length - 1} times, and must stand once; change the list of replacements`,
      );
    return parts.join(by);
  }, shipped);
  return `# Made by \`npm run docs\` from ${source}; do not edit.\n${text}`;
}

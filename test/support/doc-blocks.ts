import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/io/package-root.ts";

/** Texts of the fenced blocks of a page that begin with this fence, like `yaml rollout`; those in a list are indented. */
export const blocksOf = (page: string, fence: string): string[] =>
  [...page.matchAll(new RegExp(`^ *\`\`\`${fence}\n(.*?)^ *\`\`\``, "gms"))].map(([, text = ""]) => text);

/**
 * Lines of a page's blocks of commands with this mark, for a test that runs them. Each call is found by its text, with the two names written
 * out: `test/unit/docs/run.test.ts` wants one for each block. Throws where the page, by its path from the root, has no such block.
 */
export function commandsOf(page: string, mark: string): string[] {
  const lines = blocksOf(readFileSync(join(packageRoot(), page), "utf8"), `sh ${mark}`).flatMap((text) => text.trimEnd().split("\n"));
  if (lines.length === 0) throw new Error(`${page} has no block of commands with the mark ${mark}`);
  return lines;
}

/** Of a rollout, for excerpts that show some of its fields. */
export const ROLLOUT_HEAD = [
  "apiVersion: serin/v1",
  "kind: Rollout",
  "name: checkout",
  "key: [{ header: x-user-id }]",
  "variants: { stable: { cluster: v1 }, canary: { cluster: v2 } }",
  "strategy: { use: fast }",
  "",
].join("\n");

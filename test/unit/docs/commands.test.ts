import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, test } from "vitest";
import type { CliParts } from "../../../src/cli/parts.ts";
import { buildProgram } from "../../../src/cli/program.ts";
import { packageRoot } from "../../../src/io/package-root.ts";

const docs = join(packageRoot(), "docs");
// Decisions tell of their day.
const pages = readdirSync(docs, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".md") && !name.startsWith("decisions"),
);
const texts = [join(packageRoot(), "README.md"), ...pages.map((name) => join(docs, name))].map((path) => readFileSync(path, "utf8"));

/** What a line gives to `serin`, without what is the shell's: comments, redirections, and what follows. */
function wordsOf(line: string): string[] | undefined {
  // One that leaves words out is no whole command.
  const [, given] = line.includes("…") ? [] : (/(?:^|(?:npx|kubectl) )serin (.+)$/.exec(line.trim()) ?? []);
  const own = given?.replace(/\s(?:#|\d?[<>]|&|\|).*$/, "");
  return own?.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)?.map((word) => word.replaceAll(/["']/g, ""));
}

const blocks = texts.flatMap((text) => [...text.matchAll(/^ *```sh\b.*?\n(.*?)^ *```/gms)].map(([, block = ""]) => block));
const lines = blocks.flatMap((block) => block.split("\n"));
const commands = new Map(lines.map(wordsOf).flatMap((words) => (words === undefined ? [] : [[words.join(" "), words] as const])));

/** What the command line says of these words when it is not to act on them; undefined where it takes them. */
async function faultIn(words: readonly string[]): Promise<string | undefined> {
  let said = "";
  const say = (text: string): void => {
    said += text;
  };
  // No command runs here, so none asks for other parts.
  const program = buildProgram({ out: say, error: say } as CliParts, () => undefined);
  const still = (command: Command): void => {
    command.action(() => undefined);
    command.commands.forEach(still);
  };
  program.commands.forEach(still);
  try {
    await program.parseAsync([...words], { from: "user" });
    return undefined;
  } catch (error) {
    return `serin ${words.join(" ")}: ${said === "" ? String(error) : said}`;
  }
}

test("each command line of a page is one that the command line takes", async () => {
  expect(commands.size).toBeGreaterThan(60);
  const faults = await Promise.all([...commands.values()].map(faultIn));
  expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
});

test("one that is not taken is found", async () => {
  expect(await faultIn(["promote", "checkout", "--ful"])).toMatch(/--ful/);
  expect(wordsOf('npx serin abort cart --reason "wrong build" > log 2>&1 &')).toEqual(["abort", "cart", "--reason", "wrong build"]);
});

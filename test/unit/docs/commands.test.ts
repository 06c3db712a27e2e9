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

const newProgram = (out: (text: string) => void): Command =>
  // No command runs here, so none asks for other parts.
  buildProgram({ out, error: out } as CliParts, () => undefined);

/** What the command line says of these words when it is not to act on them; undefined where it takes them. */
async function faultIn(words: readonly string[]): Promise<string | undefined> {
  let said = "";
  const say = (text: string): void => {
    said += text;
  };
  const program = newProgram(say);
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

/** A span of a trace, which is called like a command. */
const NO_COMMANDS = ["serin decide"];
const inSentences = texts
  .flatMap((text) => text.replaceAll(/^ *```.*?^ *```/gms, "").match(/(?<=`(?:npx )?)serin [a-z][^`]*(?=`)/g) ?? [])
  .filter((words) => !NO_COMMANDS.includes(words));

/** The word that names no command, or the flag that its command does not have. */
function unknownIn(words: string): string | undefined {
  const program = newProgram(() => undefined);
  const [, verb = ""] = /^serin ([a-z]+)/.exec(words) ?? [];
  if (verb === "help") return undefined;
  const command = program.commands.find((each) => each.name() === verb);
  if (command === undefined) return words;
  const known = [program, command].flatMap(({ options }) => options.map(({ long }) => long));
  return words.match(/--[a-z-]+/g)?.find((flag) => !known.includes(flag));
}

test("a command that a sentence names is one, and has the flags that stand with it", () => {
  expect(inSentences.length).toBeGreaterThan(100);
  expect(inSentences.flatMap((words) => unknownIn(words) ?? [])).toEqual([]);
  expect([unknownIn("serin forgets ID"), unknownIn("serin promote NAME --ful")]).toEqual(["serin forgets ID", "--ful"]);
});

test("one that is not taken is found", async () => {
  expect(await faultIn(["promote", "checkout", "--ful"])).toMatch(/--ful/);
  expect(wordsOf('npx serin abort cart --reason "wrong build" > log 2>&1 &')).toEqual(["abort", "cart", "--reason", "wrong build"]);
});

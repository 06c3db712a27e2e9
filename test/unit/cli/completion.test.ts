import { describe, expect, test } from "vitest";
import { offersFor, valueIn } from "../../../src/cli/completion.ts";
import type { CliParts } from "../../../src/cli/parts.ts";
import { buildProgram } from "../../../src/cli/program.ts";
import { runWith } from "./cli-parts.ts";

// No command runs here, so none asks for its parts.
const program = buildProgram({} as CliParts, () => undefined);
const valuesFor = (...words: string[]): string[] => offersFor(program, words).offers.map(({ value }) => value);

describe("what completes a line", () => {
  test.each([
    { title: "a verb that is begun", words: ["sta"], offers: ["status"] },
    { title: "verbs after help", words: ["help", "si"], offers: ["sidecar", "simulate"] },
    { title: "flags of the program", words: ["--v"], offers: ["--version"] },
    { title: "flags of a verb that are begun", words: ["apply", "--t"], offers: ["--timeout"] },
    { title: "flags, where no more words are expected", words: ["version", ""], offers: ["--json", "--help"] },
    { title: "choices of a flag", words: ["watch", "--until", ""], offers: ["promoted", "ended"] },
    { title: "choices of a flag in one word", words: ["watch", "cart", "--until=p"], offers: ["--until=promoted"] },
    { title: "choices of an argument", words: ["completion", ""], offers: ["bash", "zsh", "fish"] },
    { title: "no flag as the value of another", words: ["apply", "-f", "--"], offers: [] },
    { title: "a word after a flag with its value", words: ["completion", "--nats=x", "z"], offers: ["zsh"] },
    { title: "nothing after a verb that is none", words: ["explode", ""], offers: [] },
    { title: "nothing for a value that may be anything", words: ["simulate", "--rps="], offers: [] },
  ])("$title: $words", ({ words, offers }) => {
    expect(valuesFor(...words)).toEqual(offers);
  });

  test("every verb that people know, and no other, is offered with its meaning", () => {
    const offers = offersFor(program, [""]).offers;
    const known = program.commands.filter((command) => !["sidecar-worker", "complete"].includes(command.name()));
    expect(offers.slice(0, -1)).toEqual(known.map((command) => ({ value: command.name(), meaning: command.description() })));
    expect(offers.at(-1)?.value).toBe("help");
  });

  test.each(program.commands.map((command) => [command.name(), command.options.map(({ long }) => long)] as const))(
    "every flag of %s is offered",
    (verb, flags) => {
      expect(valuesFor(verb, "-")).toEqual([...flags, "--help"]);
    },
  );

  test.each([
    { words: ["status", ""], wants: true },
    { words: ["status", "cart", ""], wants: false },
    { words: ["abort", "--reason", "enough seen", "c"], wants: true },
    { words: ["abort", "--reason", ""], wants: false },
    { words: ["abort", "-"], wants: false },
    { words: ["forget", ""], wants: false },
  ])("names of rollouts fit $words: $wants", ({ words, wants }) => {
    expect(offersFor(program, words).wantsRollout).toBe(wants);
  });
});

test.each([
  { words: ["status", "--nats", "nats://a", ""], nats: "nats://a" },
  { words: ["status", "--nats=nats://a", "--nats=nats://b", ""], nats: "nats://b" },
  { words: ["status", ""], nats: undefined },
])("names come from the server that the line names: $words", ({ words, nats }) => {
  expect(valueIn(words, "--nats")).toBe(nats);
});

test("`serin complete` prints a value and its meaning a line, and no name where NATS does not answer", async () => {
  expect(await runWith(["complete", "--", "promote", "--nats", "nats://127.0.0.1:1", ""])).toMatchObject({ code: 0, out: "", error: "" });
  expect(await runWith(["complete", "--", "watch", "--un"])).toMatchObject({ out: "--until\twhen to exit\n" });
});

test("`serin completion --json` prints the same script as JSON", async () => {
  const { out: script } = await runWith(["completion", "bash"]);
  expect(JSON.parse((await runWith(["completion", "bash", "--json"])).out)).toEqual({ shell: "bash", script });
});

test("every command that people know takes --json", () => {
  const known = program.commands.filter((command) => !["sidecar-worker", "complete"].includes(command.name()));
  expect(known.filter(({ options }) => !options.some(({ long }) => long === "--json"))).toEqual([]);
});

test("`serin completion` refuses a shell that it does not know, and names those that it does", async () => {
  expect(await runWith(["completion", "tcsh"])).toMatchObject({ code: 2, error: expect.stringContaining("bash, zsh, fish") });
});

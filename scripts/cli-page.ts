import type { Command, Option } from "commander";
import type { CliParts } from "../src/cli/parts.ts";
import { buildProgram } from "../src/cli/program.ts";
import { page, table } from "./page.ts";

/** The command line as it is with no variable set. Only a command that runs would ask for its parts. */
const program = buildProgram({} as CliParts, () => undefined);

/** The page of all commands. */
export const cliPage = (): string =>
  page(
    "Command line",
    "`serin COMMAND`; in a checkout `npx serin COMMAND`. Times are written `250ms`, `30s`, `10m`, `2h`; shares `5%`. [Exit codes](exit-codes.md) are the same for all commands, and all take `--no-color`.",
    ...commands().map(commandPart),
  );

const commands = (): Command[] => {
  const seen = program.createHelp().visibleCommands(program);
  return program.commands.filter((command) => seen.includes(command));
};

function commandPart(command: Command): string {
  const usage = `serin ${command.name()} ${command.usage()}`;
  const words = command.registeredArguments.map((argument) => [
    `\`${argument.name()}\``,
    "",
    "",
    [argument.description, choicesOf(argument)].filter(Boolean).join(": "),
  ]);
  const rows = [...words.filter(([, , , meaning]) => meaning !== ""), ...command.options.filter(({ hidden }) => !hidden).map(flagRow)];
  const flags = rows.length === 0 ? [] : [table(["Flag", "When absent", "Variable", "Meaning"], rows)];
  return [`## serin ${command.name()}`, `\`${usage}\``, `${sentence(command.description())}`, ...flags].join("\n\n");
}

const VARIABLE = / \((?<name>SERIN_[A-Z_]+)\)$/;

function flagRow(option: Option): string[] {
  const { flags, description, mandatory, defaultValue, defaultValueDescription } = option;
  const late = /; (?<value>[^;]+) when absent$/.exec(description)?.groups?.["value"];
  const fallback = mandatory && defaultValue === undefined ? "must be given" : (late ?? defaultValueDescription ?? text(defaultValue));
  const variable = VARIABLE.exec(description)?.groups?.["name"];
  const meaning = description.replace(VARIABLE, "").replace(late === undefined ? "" : `; ${late} when absent`, "");
  return [
    `\`${flags}\``,
    fallback === "none" ? "" : fallback,
    variable === undefined ? "" : `\`${variable}\``,
    [meaning, choicesOf(option)].filter(Boolean).join(": "),
  ];
}

const choicesOf = ({ argChoices = [] }: { readonly argChoices?: readonly string[] }): string =>
  argChoices.map((choice) => `\`${choice}\``).join(", ");

const text = (value: unknown): string => (value === undefined ? "" : `\`${String(value)}\``);

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

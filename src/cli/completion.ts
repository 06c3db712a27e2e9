import type { Command, Option } from "commander";

/** Something that may stand where the cursor is. */
export interface Offer {
  readonly value: string;
  readonly meaning: string;
}

/** What completes a line; neither where it is a file's path, or anything. */
export interface Offers {
  readonly offers: readonly Offer[];
  /** True where names of rollouts fit. */
  readonly wantsRollout: boolean;
}

const NOTHING: Offers = { offers: [], wantsRollout: false };

/** What may complete the last of these words, which follow the program's name; the last is empty where none is begun. */
export function offersFor(program: Command, words: readonly string[]): Offers {
  const last = words.at(-1) ?? "";
  const [verb, ...between] = words.slice(0, -1);
  const found = verb === undefined || verb === "help" ? verbs(program, last) : afterVerb(program, verb, { between, last });
  return { ...found, offers: found.offers.filter(({ value }) => value.startsWith(last)) };
}

const verbs = (program: Command, last: string): Offers => ({
  ...NOTHING,
  offers: last.startsWith("-")
    ? flagsOf(program)
    : program
        .createHelp()
        .visibleCommands(program)
        .map((command) => ({ value: command.name(), meaning: command.description() })),
});

interface Place {
  /** Words after the verb and before the last. */
  readonly between: readonly string[];
  readonly last: string;
}

function afterVerb(program: Command, verb: string, { between, last }: Place): Offers {
  const command = program.commands.find((one) => one.name() === verb);
  if (command === undefined) return NOTHING;
  const flagOf = (word: string): Option | undefined =>
    command.options.find((option) => [option.short, option.long].includes(word) && takesValue(option));
  let position = 0;
  let awaiting: Option | undefined;
  for (const word of between) {
    if (awaiting === undefined && !word.startsWith("-")) position += 1;
    awaiting = awaiting === undefined ? flagOf(word) : undefined;
  }
  if (awaiting !== undefined) return choices(awaiting.argChoices ?? [], "");
  const [flag = "", value] = last.split("=", 2);
  if (value !== undefined) return choices(flagOf(flag)?.argChoices ?? [], `${flag}=`);
  const argument = last.startsWith("-") ? undefined : command.registeredArguments[position];
  if (argument === undefined) return { ...NOTHING, offers: flagsOf(command) };
  return { ...choices(argument.argChoices ?? [], ""), wantsRollout: argument.name() === "name" };
}

const takesValue = (option: Option): boolean => option.required || option.optional;

const choices = (values: readonly string[], before: string): Offers => ({
  ...NOTHING,
  offers: values.map((value) => ({ value: `${before}${value}`, meaning: "" })),
});

const flagsOf = (command: Command): Offer[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) => (long == null ? [] : [{ value: long, meaning: description }]));

/** What a line gives a flag, by `--flag value` or `--flag=value`; undefined where it gives nothing. */
export function valueIn(words: readonly string[], flag: string): string | undefined {
  const at = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  const word = words[at];
  return word === flag ? words[at + 1] : word?.slice(flag.length + 1);
}

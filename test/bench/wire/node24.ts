import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { runCommand } from "../../../src/demo/run-command.ts";
import { packageRoot } from "../../../src/io/package-root.ts";

const VERSION = "24.21.0";

const INSTALL_MS = 300_000;

/** Path of a Node 24 in the project's cache; the first time npm brings it, from where it brings all packages. Throws when it cannot. */
export async function node24(): Promise<string> {
  const directory = join(packageRoot(), ".cache", "tools", "node24");
  const name = `node-linux-${process.arch}`;
  const path = join(directory, "node_modules", name, "bin", "node");
  if (await isThere(path)) return path;
  await mkdir(directory, { recursive: true });
  const flags = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"];
  const { code, stderr } = await runCommand("npm", ["install", "--prefix", directory, ...flags, `${name}@${VERSION}`], INSTALL_MS);
  if (code !== 0 || !(await isThere(path))) throw new Error(`npm brought no ${name}@${VERSION}: ${stderr.trim()}`);
  return path;
}

async function isThere(path: string): Promise<boolean> {
  const { code, stdout } = await runCommand(path, ["--version"], 10_000);
  return code === 0 && stdout.trim() === `v${VERSION}`;
}

// Makes package.json that of the package while npm packs it (`pack`), and the checkout's own again afterwards (`restore`).
// Why the checkout's own will not do: docs/decisions/0039-release.md.

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const path = join(root, "package.json");
const kept = join(root, ".cache", "package.json");

/** What is published: the program holds the packages it uses. */
function packageOf({ private: _, publishConfig, scripts, dependencies, devDependencies, allowScripts, ...published }) {
  return { ...published, ...publishConfig };
}

function pack() {
  mkdirSync(dirname(kept), { recursive: true });
  copyFileSync(path, kept);
  // With its time: a younger package.json would be a reason to build again.
  const { atime, mtime } = statSync(path);
  utimesSync(kept, atime, mtime);
  const made = `${JSON.stringify(packageOf(JSON.parse(readFileSync(path, "utf8"))), null, 2)}\n`;
  writeFileSync(`${path}.new`, made);
  renameSync(`${path}.new`, path);
}

// Also what a pack that was broken off has left: npm then knows no scripts, so this is called by hand.
if (existsSync(kept)) renameSync(kept, path);
if (process.argv[2] === "pack") pack();

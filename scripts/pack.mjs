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

/** The text of the package's own. */
const packedText = (text) => `${JSON.stringify(packageOf(JSON.parse(text)), null, 2)}\n`;

function pack() {
  mkdirSync(dirname(kept), { recursive: true });
  copyFileSync(path, kept);
  // With its time, and never a younger one: that would be a reason to build again. A Date would be rounded, up as well.
  const { atimeMs, mtimeMs } = statSync(path);
  utimesSync(kept, Math.floor(atimeMs) / 1_000, Math.floor(mtimeMs) / 1_000);
  writeFileSync(`${path}.new`, packedText(readFileSync(path, "utf8")));
  renameSync(`${path}.new`, path);
}

/** Puts back what `pack` kept. Only over what it wrote: since a pack that was broken off, somebody may have changed the file. */
function restore() {
  const text = readFileSync(path, "utf8");
  const before = readFileSync(kept, "utf8");
  if (text !== before && text !== packedText(before)) {
    process.stderr.write(
      "serin: package.json was changed while it was that of the package, so it is left as it is; take your changes into .cache/package.json, and move that to package.json\n",
    );
    process.exit(1);
  }
  renameSync(kept, path);
}

// Also what a pack that was broken off has left: npm then knows no scripts, so this is called by hand.
if (existsSync(kept)) restore();
if (process.argv[2] === "pack") pack();

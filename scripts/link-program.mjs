// Makes the built program run as `npx serin` in the checkout, and as a plugin of kubectl, after each build.
//
// package.json names no `bin` on purpose: npm gives the root package's own `bin` no link, and npx would instead install the
// checkout into its own cache at the first call: it takes seconds, asks the registry, and two calls at a time break it.

import { chmodSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, "dist", "bin", "serin.js");
const folder = join(root, "node_modules", ".bin");

// The build keeps the first line, but not that it may be run.
chmodSync(built, 0o755);
mkdirSync(folder, { recursive: true });
for (const name of ["serin", "kubectl-serin"]) {
  rmSync(join(folder, name), { force: true });
  symlinkSync(relative(folder, built), join(folder, name));
}

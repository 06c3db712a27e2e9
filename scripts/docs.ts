/** Writes docs/reference from the contract: `npm run docs`; with `--check` it only compares, and fails where they differ. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { referencePages } from "./reference.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isCheck = process.argv.includes("--check");
let differing = 0;
for (const [name, text] of Object.entries(referencePages())) {
  const path = join(root, "docs", "reference", name);
  if (!isCheck) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } else if (readFileSync(path, "utf8") !== text) {
    differing += 1;
    process.stderr.write(`docs/reference/${name} differs from the contract; run \`npm run docs\`\n`);
  }
}
process.exitCode = differing === 0 ? 0 : 1;

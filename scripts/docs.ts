/**
 * Writes what follows from something else: docs/reference and JSON Schemas from the contract, the tables of Envoy's messages from proto/,
 * dashboards and alert rules from scripts/monitoring. `npm run docs`;
 * with `--check` it only compares, and fails where they differ.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { MESSAGE_TABLES_PATH, messageTablesText } from "./message-tables.ts";
import { monitoringFiles } from "./monitoring/files.ts";
import { referencePages } from "./reference.ts";
import { schemaFiles } from "./schemas.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isCheck = process.argv.includes("--check");
let differing = 0;
const pages = Object.entries(referencePages()).map(([name, text]) => [join("docs", "reference", name), text] as const);
const others = { [MESSAGE_TABLES_PATH]: messageTablesText(), ...monitoringFiles(), ...schemaFiles() };
for (const [name, text] of [...pages, ...Object.entries(others)]) {
  const path = join(root, name);
  if (!isCheck) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } else if (readFileSync(path, "utf8") !== text) {
    differing += 1;
    process.stderr.write(`${name} differs from what it follows from; run \`npm run docs\`\n`);
  }
}
process.exitCode = differing === 0 ? 0 : 1;

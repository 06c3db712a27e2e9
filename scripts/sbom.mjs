// Lists the packages that the program is made of, as CycloneDX, in dist/serin.cdx.json.
//
// `npm sbom --omit dev` leaves out what the program and a development package both need (npm 11.19), so it is asked for all, and
// what it calls a part of development is taken out here.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const asked = spawnSync("npm", ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx"], {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 64 * 1_024 * 1_024,
  stdio: ["ignore", "pipe", "inherit"],
});
if (asked.status !== 0) {
  process.stderr.write("serin: npm sbom failed\n");
  process.exit(1);
}

const sbom = JSON.parse(asked.stdout);
const isOfDevelopment = ({ properties = [] }) => properties.some(({ name }) => name === "cdx:npm:package:development");
const components = sbom.components.filter((component) => !isOfDevelopment(component));
const kept = new Set([sbom.metadata.component, ...components].map((component) => component["bom-ref"]));
const dependencies = sbom.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));

mkdirSync(join(root, "dist"), { recursive: true });
writeFileSync(join(root, "dist", "serin.cdx.json"), `${JSON.stringify({ ...sbom, components, dependencies }, null, 2)}\n`);

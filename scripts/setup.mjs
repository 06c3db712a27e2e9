// Brings a checkout into a state in which its programs run: packages as package-lock.json says, and a build that is no older
// than the sources. Does nothing, and says nothing, when all is well. Plain Node: on a fresh clone there is nothing else yet.
//
//   node scripts/setup.mjs [--no-build]
//
// What it says goes to stderr, so that the stdout of the command that follows stays its own.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BUILT = "dist/bin/serin.js";
/** What the build is made from; a folder counts with all its files. */
const SOURCES = ["src", "test/support/plain-bucketing.ts", "tsconfig.json", "tsconfig.build.json", "package.json", "scripts/bundle.mjs"];

/** Installs and builds what is missing or out of date. Throws when a step fails. */
export function setUp({ build = true, root = ROOT } = {}) {
  requireNode();
  const reason = whyInstall(root);
  // `npm ci` builds as well, by the script `prepare`.
  if (reason !== undefined) run(root, `installing packages (${reason})`, npm("ci"));
  if (build && isBuildStale(root)) run(root, "building", npm("run", "build"));
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 20)) throw new Error(`Node ${process.versions.node} is too old; 20.20 or newer is needed`);
}

/**
 * Compares package-lock.json with the list that npm leaves in node_modules. Contents, not times: a checkout of another
 * commit touches files without changing them. Packages for other platforms are locked, and rightly absent.
 */
export function whyInstall(root) {
  const hidden = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(hidden)) return "there are none";
  const installed = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  for (const [path, entry] of Object.entries(locked)) {
    if (path === "") continue;
    const here = installed[path];
    if (here === undefined && !entry.optional) return `${path} is missing`;
    if (here !== undefined && here.integrity !== entry.integrity) return `${path} is another version`;
  }
  return undefined;
}

/** The build is stale when any source is younger than it, as make would have it; a folder is younger when a file of it went. */
export function isBuildStale(root) {
  const built = join(root, BUILT);
  if (!existsSync(built)) return true;
  const builtMs = statSync(built).mtimeMs;
  return SOURCES.some((source) => newestMs(join(root, source)) > builtMs);
}

function newestMs(path) {
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

/** npm as it was started, or the one on the PATH. */
function npm(...args) {
  const path = process.env.npm_execpath;
  return path?.endsWith(".js") ? [process.execPath, path, ...args] : ["npm", ...args];
}

function run(root, title, [program, ...args]) {
  process.stderr.write(`serin: ${title}…\n`);
  // npm's own words on stdout would come before those of the command that follows.
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${title}: \`${[program, ...args].join(" ")}\` ended with exit code ${status}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    setUp({ build: !process.argv.includes("--no-build") });
  } catch (error) {
    process.stderr.write(`serin: ${error.message}\n`);
    process.exitCode = 1;
  }
}

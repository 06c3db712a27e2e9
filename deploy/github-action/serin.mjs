// One step of a workflow, as action.yml describes it: node serin.mjs PROGRAM, all else by environment variables.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const { MODE = "", FILES = "", NAME = "", REASON = "", UNTIL = "", TIMEOUT = "", ...rest } = process.env;
const [, , program = ""] = process.argv;
// An empty variable would be taken for an address or a token.
const env = Object.fromEntries(Object.entries(rest).filter(([name, value]) => !name.startsWith("SERIN_") || value !== ""));

/** Prints a command to the runner, like an error at its place in a file. */
function command(name, message, place = {}) {
  const at = Object.entries(place).map(([key, value]) => `${key}=${String(value).replace(/[%\r\n:,]/g, encodeURIComponent)}`);
  const text = message.replace(/[%\r\n]/g, encodeURIComponent);
  process.stdout.write(`::${[name, at.join(",")].filter(Boolean).join(" ")}::${text}\n`);
}

/** Runs serin; what it prints is shown, where `isShown`, and never obeyed by the runner. */
async function serin(args, isShown = true) {
  const pause = randomUUID();
  if (isShown) process.stdout.write(`::stop-commands::${pause}\n`);
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [out, all] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => {
      all += text;
      if (isShown) process.stdout.write(text);
    });
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (ended) => resolve(ended ?? 1));
  });
  if (isShown) process.stdout.write(`\n::${pause}::\n`);
  return { code, out, all };
}

/** Indented text is shown as it stands, whatever it holds. */
function summarise(title, text) {
  const path = process.env.GITHUB_STEP_SUMMARY;
  const lines = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => `    ${line}`);
  if (path) appendFileSync(path, `### ${title}\n\n${lines.join("\n")}\n\n`);
}

const linesOf = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

function flagsOfFiles() {
  const files = linesOf(FILES).flatMap((path) => (statSync(path).isDirectory() ? yamlFilesIn(path) : [path]));
  if (files.length === 0) throw new Error("files: none are named, or the folder holds none; name files or folders, one a line");
  return files.flatMap((file) => ["-f", file]);
}

const yamlFilesIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => /\.ya?ml$/.test(name))
    .toSorted()
    .map((name) => join(folder, name));

async function check() {
  const files = flagsOfFiles();
  const linted = await serin(["lint", "--json", ...files], false);
  const { error, warnings = [], rollouts = [] } = JSON.parse(linted.out || '{"error":{"message":"serin said nothing"}}');
  for (const { file, line, column, path, problem, fix } of error?.faults ?? [])
    command("error", `${path}: ${problem}; ${fix}`, { file, line, col: column });
  if (error !== undefined && error.faults === undefined) command("error", error.message);
  for (const warning of warnings) command("warning", warning);
  summarise("Serin: lint", error === undefined ? [`valid: ${rollouts.join(", ")}`, ...warnings].join("\n") : error.message);
  if (linted.code !== 0 || env.SERIN_NATS === undefined) return linted.code;
  const differing = await serin(["diff", ...files]);
  summarise("Serin: what apply would change", differing.all);
  return differing.code;
}

async function apply() {
  const { GITHUB_REPOSITORY = "", GITHUB_SHA = "", GITHUB_ACTOR = "" } = env;
  const reason = REASON || `${GITHUB_REPOSITORY}@${GITHUB_SHA} by ${GITHUB_ACTOR}`;
  const { code, all } = await serin(["apply", ...flagsOfFiles(), "--reason", reason]);
  summarise("Serin: apply", all);
  return code;
}

async function watch() {
  if (NAME === "") throw new Error("name: no rollout is named; name the one to watch");
  const { code, all } = await serin(["watch", "--until", UNTIL, ...(TIMEOUT === "" ? [] : ["--timeout", TIMEOUT]), "--", NAME]);
  summarise(`Serin: watch until ${UNTIL}`, all);
  return code;
}

const modes = { check, apply, watch };

try {
  if (!Object.hasOwn(modes, MODE)) throw new Error(`mode: ${MODE} is none; write ${Object.keys(modes).join(", ")}`);
  process.exitCode = await modes[MODE]();
} catch (error) {
  command("error", error.message);
  process.exitCode = 2;
}
if (process.env.GITHUB_OUTPUT) appendFileSync(process.env.GITHUB_OUTPUT, `exit-code=${process.exitCode}\n`);

import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { onTestFinished } from "vitest";
import { packageRoot } from "../../../src/io/package-root.ts";

/** What a script did. */
export interface ScriptResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Arguments of each call of npm, in order. */
  readonly npm: readonly string[];
}

/** A checkout in which the real scripts run, and npm and vitest are stand-ins. */
export interface FakeCheckout {
  write(path: string, text: string): void;
  /** Sets a file's time, in seconds since 1970. */
  touch(path: string, seconds: number): void;
  run(program: string, args: readonly string[]): ScriptResult;
}

/** Says what it was asked, and ends as `npm-exit.json` says for the first word after `run`, or for the first. */
const FAKE_NPM = `#!/usr/bin/env node
const { appendFileSync, existsSync, readFileSync } = require("node:fs");
const args = process.argv.slice(2);
appendFileSync("npm.log", args.join(" ") + "\\n");
console.log("npm speaks");
const exits = existsSync("npm-exit.json") ? JSON.parse(readFileSync("npm-exit.json", "utf8")) : {};
process.exit(exits[args.at(-1)] ?? 0);
`;

/** Leaves \`report-PROJECT.json\` where it is told, and fails when it counts a failure. */
const FAKE_VITEST = `
import { existsSync, readFileSync, writeFileSync } from "node:fs";
const value = (name) => process.argv.find((arg) => arg.startsWith(name))?.slice(name.length);
const project = process.argv[process.argv.indexOf("--project") + 1];
const source = "report-" + project + ".json";
if (!existsSync(source)) process.exit(1);
const text = readFileSync(source, "utf8");
writeFileSync(value("--outputFile.json="), text);
const { numFailedTests, testResults, exitCode = 0 } = JSON.parse(text);
process.exit(numFailedTests > 0 || testResults.some(({ status }) => status === "failed") ? 1 : exitCode);
`;

/** Makes one, with packages installed and built; it goes when the test is over. */
export function fakeCheckout(): FakeCheckout {
  const root = mkdtempSync(join(tmpdir(), "serin-checkout-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const touch = (path: string, seconds: number): void => utimesSync(join(root, path), seconds, seconds);
  for (const path of ["scripts", ".ci"]) cpSync(join(packageRoot(), path), join(root, path), { recursive: true });
  touch("scripts/bundle.mjs", 1_000);
  write("bin/npm", FAKE_NPM);
  chmodSync(join(root, "bin/npm"), 0o755);
  write("node_modules/vitest/vitest.mjs", FAKE_VITEST);
  for (const path of ["src/a.ts", "test/support/plain-bucketing.ts", "tsconfig.json", "tsconfig.build.json", "package.json"]) {
    write(path, "{}");
    touch(path, 1_000);
  }
  touch("src", 1_000);
  for (const path of ["package-lock.json", "node_modules/.package-lock.json"]) write(path, JSON.stringify({ packages: {} }));
  write("dist/bin/serin.js", "");
  write("npm.log", "");
  return {
    write,
    touch,
    run(program, args) {
      const env = { PATH: [join(root, "bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter), HOME: root };
      const { status, stdout, stderr } = spawnSync(program, [...args], { cwd: root, env, encoding: "utf8" });
      const npm = readFileSync(join(root, "npm.log"), "utf8")
        .split("\n")
        .filter((line) => line !== "");
      return { code: status, stdout, stderr, npm };
    },
  };
}

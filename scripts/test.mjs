// All tests with one command: sets the checkout up, then runs the projects one after the other, so that on a small machine
// real servers never compete with the tables and laws for the processor.
//
//   npm test [-- what vitest takes]
//
// Leaves the counts, and what failed, in .cache/test/total.json. A failed file, a skipped test and a project without tests are
// failures too.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { setUp } from "./setup.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const REPORTS = join(ROOT, ".cache", "test");
const PROJECTS = [
  // The cores must be covered by these alone.
  { name: "unit", args: ["--coverage"] },
  { name: "integration", args: [] },
  { name: "e2e", args: [] },
];

/** What happened in one run of vitest, from its JSON report; `broken` counts files that could not even be read. */
export function countsOf(report) {
  const broken = report.testResults.filter(({ status, assertionResults }) => status === "failed" && assertionResults.length === 0).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** A few lines for each thing that failed: where, its title, and the start of what it said. */
export function failuresOf(report) {
  return report.testResults.flatMap(({ name, message, status, assertionResults }) => {
    const tests = assertionResults.filter((test) => test.status === "failed");
    if (status === "failed" && tests.length === 0) return [`${name}\n${startOf(message)}`];
    return tests.map(({ fullName, failureMessages }) => `${name}: ${fullName}\n${failureMessages.map(startOf).join("\n")}`);
  });
}

const startOf = (text = "") =>
  text
    .split("\n")
    .slice(0, 12)
    .map((line) => `    ${line}`)
    .join("\n");

/** Files of the cores that the unit tests do not cover whole. */
function uncovered() {
  const summary = join(ROOT, ".cache", "coverage", "coverage-summary.json");
  if (!existsSync(summary)) return [];
  return Object.entries(JSON.parse(readFileSync(summary, "utf8")))
    .filter(
      ([path, { lines, branches, functions, statements }]) =>
        path !== "total" && [lines, branches, functions, statements].some(({ pct }) => pct < 100),
    )
    .map(
      ([path, { lines, branches }]) =>
        `${path}: ${lines.pct} % of lines, ${branches.pct} % of branches are covered; --coverage names those missing`,
    );
}

function runProject({ name, args }, more) {
  process.stdout.write(`\n# ${name} tests\n`);
  const file = join(REPORTS, `${name}.json`);
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  // A selection of files covers the cores in part only, and need not hold tests of every project.
  const options = more.length > 0 ? ["--passWithNoTests", ...more] : args;
  const { status } = spawnSync(
    process.execPath,
    [vitest, "run", "--project", name, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`, ...options],
    { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] },
  );
  const { counts, failures } = readReport(file);
  // A run that never came to its tests, as when a program is missing, leaves an empty report.
  const neverRan = status !== 0 && counts.passed + counts.failed === 0;
  if (status !== 0) failures.push(`the ${name} run failed`);
  return { ok: status === 0, counts: neverRan ? { ...counts, failed: 1 } : counts, failures };
}

function readReport(file) {
  try {
    const report = JSON.parse(readFileSync(file, "utf8"));
    return { counts: countsOf(report), failures: failuresOf(report) };
  } catch (error) {
    const problem = `vitest left no report (${error.message})`;
    process.stderr.write(`serin: ${problem}\n`);
    return { counts: { passed: 0, failed: 1, skipped: 0 }, failures: [problem] };
  }
}

function main(more) {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  setUp();
  rmSync(join(ROOT, ".cache", "coverage"), { recursive: true, force: true });
  const runs = PROJECTS.map((project) => runProject(project, more));
  const sum = (key) => runs.reduce((total, { counts }) => total + counts[key], 0);
  const total = { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
  const failures = [...runs.flatMap((run) => run.failures), ...uncovered()];
  if (total.skipped > 0) failures.push(`${total.skipped} skipped; nothing may be skipped`);
  writeFileSync(join(REPORTS, "total.json"), `${JSON.stringify({ ...total, failures })}\n`);
  for (const failure of failures) process.stdout.write(`${failure}\n`);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return runs.every(({ ok }) => ok) && total.failed === 0 && total.skipped === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`serin: ${error.message}\n`);
    process.exitCode = 1;
  }
}

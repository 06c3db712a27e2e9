import process from "node:process";
import { describe, expect, test } from "vitest";
import { type FakeCheckout, fakeCheckout } from "./fake-checkout.ts";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** How vitest ends when no test failed. */
  readonly exitCode?: number;
  readonly testResults: readonly { name?: string; message?: string; status: string; assertionResults: readonly object[] }[];
}

const good: Report = { numPassedTests: 5, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
const unreadableFile = { testResults: [{ status: "failed", assertionResults: [] }] };

/** A checkout whose three projects end like this; undefined leaves no report, as a crash does. */
function checkoutWith(reports: { unit?: Report; integration?: Report; e2e?: Report }): FakeCheckout {
  const checkout = fakeCheckout();
  for (const [project, report] of Object.entries(reports)) checkout.write(`report-${project}.json`, JSON.stringify(report));
  return checkout;
}

const lastLine = (text: string): string | undefined => text.trimEnd().split("\n").at(-1);

describe("npm test", () => {
  test.each([
    { title: "adds the projects up", reports: { unit: good, integration: good, e2e: good }, code: 0, says: "15 passed, 0 failed" },
    {
      title: "fails with a failed test",
      reports: { unit: good, integration: { ...good, numFailedTests: 2 }, e2e: good },
      code: 1,
      says: "15 passed, 2 failed",
    },
    {
      title: "counts a file that cannot be read as a failure",
      reports: { unit: good, integration: { ...good, ...unreadableFile }, e2e: good },
      code: 1,
      says: "15 passed, 1 failed",
    },
    {
      title: "counts a run that never came to its tests as a failure, as when a program is missing",
      reports: { unit: good, integration: { ...good, numPassedTests: 0, exitCode: 1 }, e2e: good },
      code: 1,
      says: "10 passed, 1 failed",
    },
    {
      title: "counts a run that leaves no report as a failure",
      reports: { unit: good, integration: good },
      code: 1,
      says: "10 passed, 1 failed",
    },
    {
      title: "lets nothing skip",
      reports: { unit: good, integration: good, e2e: { ...good, numPendingTests: 1 } },
      code: 1,
      says: "15 passed, 0 failed",
    },
  ])("$title", ({ reports, code, says }) => {
    const result = checkoutWith(reports).run(process.execPath, ["scripts/test.mjs"]);
    expect([result.code, lastLine(result.stdout)]).toEqual([code, says]);
  });

  test("says at its end where which test failed, and the start of why", () => {
    const broken = { fullName: "a share grows", status: "failed", failureMessages: ["expected 1 to be 2\n  at plan.ts"] };
    const report = { ...good, numFailedTests: 1, testResults: [{ name: "plan.test.ts", status: "failed", assertionResults: [broken] }] };
    const { stdout } = checkoutWith({ unit: good, integration: report, e2e: good }).run(process.execPath, ["scripts/test.mjs"]);
    expect(stdout.trimEnd().split("\n").slice(-5)).toEqual([
      "plan.test.ts: a share grows",
      "    expected 1 to be 2",
      "      at plan.ts",
      "the integration run failed",
      "15 passed, 1 failed",
    ]);
  });

  test("sets up first, and runs no test when that fails", () => {
    const checkout = checkoutWith({ unit: good, integration: good, e2e: good });
    checkout.touch("dist/bin/serin.js", 0);
    checkout.write("npm-exit.json", JSON.stringify({ build: 1 }));
    const { code, stdout, npm } = checkout.run(process.execPath, ["scripts/test.mjs"]);
    expect([code, stdout, npm]).toEqual([1, "", ["run build"]]);
  });
});

describe(".ci/run", () => {
  test.each([
    { title: "ends well when tests and checks pass", exits: {}, code: 0, says: "9 passed, 0 failed" },
    { title: "fails with the checks, and says so before the count", exits: { check: 1 }, code: 1, says: "9 passed, 0 failed" },
    { title: "fails with the tests", exits: { test: 1 }, code: 1, says: "9 passed, 0 failed" },
  ])("$title", ({ exits, code, says }) => {
    const checkout = fakeCheckout();
    checkout.write("npm-exit.json", JSON.stringify(exits));
    // The stand-in of npm runs no tests, so the count is one that lies there already; a real run replaces it.
    checkout.write("bin/rm", "#!/bin/sh\n");
    checkout.write(".cache/test/total.json", JSON.stringify({ passed: 9, failed: 0, skipped: 0, failures: [] }));
    const result = checkout.run("bash", ["-c", "chmod +x bin/rm && .ci/run"]);
    expect([result.code, lastLine(result.stdout), result.npm]).toEqual([code, says, ["test", "run check"]]);
    expect(result.stdout.includes("npm run check failed")).toBe("check" in exits);
  });

  test("counts a set-up that failed as one failure, never as none", () => {
    const checkout = fakeCheckout();
    checkout.write("npm-exit.json", JSON.stringify({ test: 1 }));
    checkout.write(".cache/test/total.json", JSON.stringify({ passed: 9, failed: 0, skipped: 0, failures: [] }));
    const result = checkout.run("bash", [".ci/run"]);
    expect([result.code, lastLine(result.stdout)]).toEqual([1, "0 passed, 1 failed"]);
  });
});

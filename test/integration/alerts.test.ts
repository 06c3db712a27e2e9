import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, inject, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { ALERT_RULES } from "../../scripts/monitoring/alerts.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import type { Case } from "./alert-case.ts";
import { CASES } from "./alert-cases.ts";

const FOLDER = join(packageRoot(), "deploy", "prometheus");
const run = promisify(execFile);

const rulesOf = async (): Promise<string[]> =>
  (await readdir(FOLDER)).filter((name) => name.endsWith(".rules.yaml")).map((name) => join(FOLDER, name));

/** The labels that fire, as a test for promtool; of each alert only its labels are compared, so its texts are left as they come. */
function testOf({ title, alert, input, at, fires }: Case): object {
  const severity = ALERT_RULES.find((rule) => rule.alert === alert)?.labels.severity;
  const expected = fires.map((labels) => ({
    labels: `ALERTS{alertname="${alert}",alertstate="firing",severity="${severity}"${textOf(labels)}}`,
    value: 1,
  }));
  return {
    name: title,
    interval: "15s",
    input_series: input.map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [{ expr: `ALERTS{alertname="${alert}",alertstate="firing"}`, eval_time: at, exp_samples: expected }],
  };
}

const textOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `,${name}="${value}"`)
    .join("");

test("promtool finds every case as it says", async () => {
  const directory = await mkdtemp(join(tmpdir(), "serin-alerts-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "test.yaml");
  await writeFile(file, stringify({ rule_files: await rulesOf(), evaluation_interval: "15s", tests: CASES.map(testOf) }, { lineWidth: 0 }));
  const { stdout } = await run(inject("promtoolProgram"), ["test", "rules", file]).catch((error) => error);
  expect(stdout).toContain("SUCCESS");
});

test("promtool sees a case that is wrong", async () => {
  const directory = await mkdtemp(join(tmpdir(), "serin-alerts-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "test.yaml");
  const wrong = CASES.slice(0, 1).map((one) => testOf({ ...one, fires: [] }));
  await writeFile(file, stringify({ rule_files: await rulesOf(), evaluation_interval: "15s", tests: wrong }, { lineWidth: 0 }));
  await expect(run(inject("promtoolProgram"), ["test", "rules", file])).rejects.toThrow("FAILED");
});

test("every alert has a case in which it fires", () => {
  const fired = new Set(CASES.filter(({ fires }) => fires.length > 0).map(({ alert }) => alert));
  expect([...fired].toSorted()).toEqual(ALERT_RULES.map(({ alert }) => alert).toSorted());
});

test("the example of a configuration, with all rules, is one that Prometheus takes", async () => {
  const { stdout } = await run(inject("promtoolProgram"), ["check", "config", join(FOLDER, "prometheus.yaml")]);
  expect(stdout).toContain(`${ALERT_RULES.length} rules found`);
});

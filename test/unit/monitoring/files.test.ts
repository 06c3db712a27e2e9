import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ALERT_RULES } from "../../../scripts/monitoring/alerts.ts";
import { monitoringFiles } from "../../../scripts/monitoring/files.ts";
import { RECORDED, RECORDING_RULES } from "../../../scripts/monitoring/rules.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { boards, panelsOf } from "../../support/boards.ts";
import { commandsOf } from "../../support/doc-blocks.ts";

const root = packageRoot();
const RUNBOOKS = join("docs", "runbooks");

test.each(Object.entries(monitoringFiles()))("%s is what its source says; `npm run docs` makes it", (path, text) => {
  expect(readFileSync(join(root, path), "utf8")).toBe(text);
});

describe.each(ALERT_RULES)("the alert $alert", ({ annotations: { summary, description, runbook_url: runbook } }) => {
  test("says what is wrong, what it means, and where to read what to do", () => {
    expect(summary).not.toMatch(/\.$/);
    expect(description).toMatch(/\.$/);
    expect(existsSync(join(root, runbook))).toBe(true);
  });
});

test("every runbook is of an alert, which it names, and says what users feel, how to look and what to do", () => {
  const pages = new Map(ALERT_RULES.map(({ alert, annotations }) => [annotations.runbook_url, alert]));
  expect(readdirSync(join(root, RUNBOOKS)).map((file) => join(RUNBOOKS, file))).toEqual([...pages.keys()].toSorted());
  for (const [page, alert] of pages) {
    const text = readFileSync(join(root, page), "utf8");
    expect(text).toContain(`# ${alert}\n`);
    for (const heading of ["## Meaning", "## What users feel", "## Look", "## Do"])
      expect([page, text]).toEqual([page, expect.stringContaining(heading)]);
  }
});

test("the docs' line puts an address before each runbook, and changes nothing else", () => {
  const [line = ""] = commandsOf("docs/dashboards.md", "runbooks");
  const [command = "", target] = line.trim().split(" > ");
  expect(target).toBe("alerts.rules.yaml");
  const text = execFileSync("sh", ["-c", command], { cwd: root, encoding: "utf8" });
  expect([...text.matchAll(/runbook_url: (.*)$/gm)].map(([, url]) => url)).toEqual(
    ALERT_RULES.map(({ annotations }) => `https://wiki.example/serin/${annotations.runbook_url}`),
  );
  expect(text.replaceAll("https://wiki.example/serin/", "")).toBe(monitoringFiles()["deploy/prometheus/alerts.rules.yaml"]);
});

test("alerts have names of their own, and every recorded series is asked for by one", () => {
  const names = ALERT_RULES.map(({ alert }) => alert);
  expect(names).toEqual([...new Set(names)]);
  expect(RECORDING_RULES.map(({ record }) => record)).toEqual(Object.values(RECORDED));
  for (const name of Object.values(RECORDED)) expect(ALERT_RULES.some(({ expr }) => expr.includes(name))).toBe(true);
});

test("the docs say how to read each panel, and list each alert with its severity", () => {
  const text = readFileSync(join(root, "docs", "dashboards.md"), "utf8");
  for (const { title } of boards.flatMap(panelsOf)) expect(text).toContain(`**${title.replace("$check: v", "V")}**`);
  for (const { alert, labels, annotations } of ALERT_RULES)
    expect(text).toContain(`[${alert}](${annotations.runbook_url.replace("docs/", "")}) | ${labels.severity} |`);
});

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { parse } from "yaml";
import { METRIC_FACTS } from "../../src/contract/metric-facts.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { blocksOf } from "../support/doc-blocks.ts";

const root = packageRoot();
const page = readFileSync(join(root, "docs", "envoy.md"), "utf8");
const text = readFileSync(join(root, "envoy", "envoy.yaml"), "utf8");

/** Every value under that key, however deep. */
function valuesOf(key: string, within: unknown): unknown[] {
  if (typeof within !== "object" || within === null) return [];
  return Object.entries(within).flatMap(([name, value]) => [...(name === key ? [value] : []), ...valuesOf(key, value)]);
}

test("the command by which docs/envoy.md checks a configuration accepts the one that is shipped", async () => {
  const [command = ""] = blocksOf(page, "sh check");
  const [program, ...args] = command.trim().split(" ");
  expect(program).toBe("envoy");
  const { stdout } = await promisify(execFile)(inject("envoyProgram"), args, { cwd: root });
  expect(stdout).toContain(" OK");
});

test("each part that the page shows stands in the file as it is shown", () => {
  const shipped: unknown = parse(text, { merge: true });
  const parts = blocksOf(page, "yaml part").flatMap((block) => Object.entries(parse(block)));
  expect(parts.map(([key]) => key)).toEqual(["endpoints", "priority_groups", "dynamic_metadata"]);
  for (const [key, value] of parts) expect(valuesOf(key, shipped)).toContainEqual(value);
});

test("what the page's table takes is there to take, and its metric is one", () => {
  const names = [...page.matchAll(/^\| ((?:cluster )?`[^|]+) \| .* \|/gm)].flatMap(
    ([, cell = ""]) => cell.match(/(?<=`)[\w.-]+(?=`)/g) ?? [],
  );
  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !text.includes(name))).toEqual([]);
  const metrics = page.match(/serin_\w+/g) ?? [];
  expect(metrics.filter((metric) => !METRIC_FACTS.some(({ name }) => name === metric))).toEqual([]);
});

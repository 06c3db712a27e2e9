import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../../src/io/package-root.ts";

const textOf = (...path: string[]): string => readFileSync(join(packageRoot(), ...path), "utf8");

/** Rows of the table of features: the examples and the test of each. */
const rows = textOf("docs", "rules.md")
  .split("\n")
  .filter((line) => line.startsWith("| **"))
  .map((line) => ({
    what: line.match(/\*\*(.*?)\*\*/)?.[1] ?? "",
    examples: [...line.matchAll(/\(examples\/(.*?)\)/g)].map(([, name = ""]) => name),
    file: line.match(/`(test\/e2e\/.*?\.ts)`/)?.[1] ?? "",
  }));

/** A test with what it takes from its support. */
const wholeTest = (file: string): string =>
  [textOf(file), ...[...textOf(file).matchAll(/"\.\.\/support\/(.*?)"/g)].map(([, name = ""]) => textOf("test", "support", name))].join("");

test("the table of features names every example", () => {
  const named = new Set(rows.flatMap(({ examples }) => examples));
  const examples = readdirSync(join(packageRoot(), "docs", "examples")).filter((name) => name.endsWith(".yaml"));
  expect(examples.toSorted()).toEqual([...named].toSorted());
});

test.each(rows)("$what: its test runs its example", ({ examples, file }) => {
  expect(examples.length).toBeGreaterThan(0);
  expect(examples.filter((example) => !wholeTest(file).includes(example))).toEqual([]);
});

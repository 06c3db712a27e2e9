import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type PlantedCopy, plantedCopy } from "./planted-copy.ts";

const lines = (count: number, line: string): string => Array.from({ length: count }, () => `${line}\n`).join("");

/** Code that a rule forbids, and where. */
const FORBIDDEN = [
  { title: "a core asks for the date", folder: "core/plan", rule: "no-restricted-globals", code: "export const now = () => Date.now();" },
  {
    title: "a core asks for the time",
    folder: "core/judge",
    rule: "no-restricted-globals",
    code: "export const now = () => performance.now();",
  },
  {
    title: "a core reads the environment",
    folder: "core/decide",
    rule: "no-restricted-globals",
    code: "export const env = () => process.env;",
  },
  {
    title: "a core sets a timer",
    folder: "core/plan",
    rule: "no-restricted-globals",
    code: "export const later = (f: () => void) => setTimeout(f, 1);",
  },
  {
    title: "a core asks the network",
    folder: "core/judge",
    rule: "no-restricted-globals",
    code: 'export const ask = () => fetch("http://localhost");',
  },
  { title: "a core is random", folder: "core/decide", rule: "no-restricted-properties", code: "export const any = () => Math.random();" },
  { title: "a core prints", folder: "core/plan", rule: "no-restricted-globals", code: 'export const say = () => console.log("so");' },
  {
    title: "a core imports from Node",
    folder: "core/plan",
    rule: "no-restricted-imports",
    code: 'export { readFileSync } from "node:fs";',
  },
  {
    title: "the contract asks for the date",
    folder: "contract",
    rule: "no-restricted-globals",
    code: "export const now = () => new Date();",
  },
  {
    title: "the environment is read outside bin",
    folder: "sidecar",
    rule: "no-restricted-properties",
    code: 'import process from "node:process";\nexport const a = () => process.env["A"];',
  },
  {
    title: "the environment is imported by its name",
    folder: "controller",
    rule: "no-restricted-imports",
    code: 'export { env } from "node:process";',
  },
  {
    title: "arguments are read outside bin",
    folder: "cli",
    rule: "no-restricted-properties",
    code: 'import process from "node:process";\nexport const a = () => process.argv;',
  },
  { title: "something prints outside bin", folder: "io", rule: "no-console", code: 'export const say = () => console.log("so");' },
  {
    title: "a promise is lost",
    folder: "io",
    rule: "no-floating-promises",
    code: "export function go(work: () => Promise<void>): void {\n  work();\n}",
  },
  {
    title: "a switch leaves a case open",
    folder: "io",
    rule: "switch-exhaustiveness-check",
    code: 'export function size(of: "a" | "b"): number {\n  switch (of) {\n    case "a":\n      return 1;\n  }\n  return 2;\n}',
  },
  { title: "a type is any", folder: "io", rule: "no-explicit-any", code: "export const loose = (value: any): unknown => value;" },
  {
    title: "an undefined is waved away",
    folder: "io",
    rule: "no-non-null-assertion",
    code: "export const first = (list: string[]): string => list[0]!;",
  },
  {
    title: "a failure is swallowed",
    folder: "io",
    rule: "no-empty",
    code: "export function go(work: () => void): void {\n  try {\n    work();\n  } catch {}\n}",
  },
  { title: "an export has no name", folder: "io", rule: "no-default-export", code: "export default 1;" },
  { title: "a file has more than 250 lines", folder: "io", rule: "max-lines", code: `${lines(250, "// line")}export const late = 1;` },
  {
    title: "a function has more than 60 lines",
    folder: "io",
    rule: "max-lines-per-function",
    code: `export function long(): void {\n${lines(60, "  // line")}}`,
  },
  {
    title: "a function has five parameters",
    folder: "io",
    rule: "max-params",
    code: "export const sum = (a: number, b: number, c: number, d: number, e: number) => a + b + c + d + e;",
  },
] as const;

const fileOf = (index: number, folder: string): string => `src/${folder}/planted-${index}.ts`;
const planted: Record<string, string> = {
  "test/unit/planted.test.ts":
    'import { expect, test } from "vitest";\ntest.skip("later", () => expect(1).toBe(1));\ntest.only("now", () => expect(1).toBe(1));\n',
};
for (const [index, { folder, code }] of FORBIDDEN.entries()) planted[fileOf(index, folder)] = `${code}\n`;

const ReportSchema = z.object({ diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })) });

let copy: PlantedCopy;
let found: { file: string; rule: string }[] = [];
beforeAll(async () => {
  copy = plantedCopy(planted);
  const report = ReportSchema.parse(JSON.parse(await copy.run("oxlint/bin/oxlint", ["--type-aware", "--format", "json", "src", "test"])));
  found = report.diagnostics.map(({ code, filename }) => ({ file: filename, rule: /\((.+)\)/.exec(code)?.[1] ?? code }));
}, 60_000);
afterAll(() => copy.remove());

describe("the linter refuses", () => {
  test.each(FORBIDDEN.map((row, index) => ({ ...row, file: fileOf(index, row.folder) })))("$title", ({ file, rule }) => {
    expect(found).toContainEqual({ file, rule });
  });

  test.each([
    { title: "a skipped test", rule: "no-disabled-tests" },
    { title: "a test that hides the others", rule: "no-focused-tests" },
  ])("$title", ({ rule }) => {
    expect(found).toContainEqual({ file: "test/unit/planted.test.ts", rule });
  });
});

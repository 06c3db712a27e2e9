import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { VERSION } from "../../../src/contract/version.ts";
import { readDocuments } from "../../../src/io/documents.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { runWith } from "../cli/cli-parts.ts";

const textOf = (...path: string[]): string => readFileSync(join(packageRoot(), ...path), "utf8");

test("the program, the package and the changelog are of one version, which has its day there", () => {
  expect(JSON.parse(textOf("package.json")).version).toBe(VERSION);
  const entries = [...textOf("CHANGELOG.md").matchAll(/^## \[(?<version>\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$/gm)];
  expect(entries[0]?.groups?.["version"]).toBe(VERSION);
});

test("the changelog keeps the form: what is not released yet, then versions, each with known sections", () => {
  const headings = textOf("CHANGELOG.md").match(/^#{2,3} .*$/gm) ?? [];
  expect(headings[0]).toBe("## [Unreleased]");
  expect(headings.filter((line) => !/^## \[|^### (Added|Changed|Deprecated|Removed|Fixed|Security)$/.test(line))).toEqual([]);
});

const ActionSchema = z.object({
  inputs: z.record(z.string(), z.object({ default: z.string().optional(), required: z.boolean().optional() })),
  runs: z.object({ steps: z.array(z.object({ run: z.string(), env: z.record(z.string(), z.string()) })) }),
});

test("the action for GitHub installs nothing that nobody named, and its scripts read inputs from variables alone", () => {
  const { inputs, runs } = ActionSchema.parse(parse(textOf("deploy", "github-action", "action.yml")));
  expect(inputs["package"]).toEqual({ required: true });
  expect(runs.steps.filter(({ run }) => run.includes("${{"))).toEqual([]);
  const used = runs.steps.flatMap(({ env }) => Object.values(env));
  expect(used.toSorted()).toEqual(
    Object.keys(inputs)
      .map((name) => `\${{ inputs.${name} }}`)
      .toSorted(),
  );
});

const releasePage = textOf("docs", "release.md");

test("the page's example for editors is valid, and names a schema that the package has", () => {
  const [, text = ""] = /^```yaml\n(.*?)^```/ms.exec(releasePage) ?? [];
  expect(readDocuments(text, "release.md").segments).toHaveLength(1);
  const [, schema = ""] = /\$schema=\.\/node_modules\/serin\/(\S+)/.exec(text) ?? [];
  expect(existsSync(join(packageRoot(), schema))).toBe(true);
});

test("the page knows every mode of the action, and no other", () => {
  const modes = /^const modes = \{ (?<names>.*) \};$/m.exec(textOf("deploy", "github-action", "serin.mjs"))?.groups?.["names"];
  const table = /^\| `mode` .*?\n\n/ms.exec(releasePage)?.[0] ?? "";
  expect([...table.matchAll(/^\| `(\w+)` \| (?!Does)/gm)].map(([, name]) => name).join(", ")).toBe(modes);
});

test.each([...releasePage.matchAll(/serin completion (\w+)/g)].map(([, shell = ""]) => shell))(
  "the page's line for %s is one that the program knows",
  async (shell) => {
    expect(await runWith(["completion", shell])).toMatchObject({ code: 0, out: expect.stringContaining("complete --") });
  },
);

import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { schemaFiles } from "../../../scripts/schemas.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { readYaml } from "../../../src/io/yaml-source.ts";

const root = packageRoot();
const files = schemaFiles();

const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true, formats: { uri: URL.canParse } });
for (const [path, text] of Object.entries(files)) ajv.addSchema(JSON.parse(text), path.replace("schemas/", ""));

/** What the validator finds wrong with a document. */
function faultsOf(document: unknown, schema = "serin.json"): string[] {
  ajv.validate(schema, document);
  return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message ?? ""}`);
}

/** Serin's documents in a folder, and the schema that a file's first line names, from the root. */
const documentsIn = (folder: string): [path: string, schema: string, document: unknown][] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => ({ path: join(folder, name), text: readFileSync(join(root, folder, name), "utf8") }))
    .filter(({ text }) => text.includes("serin/v1"))
    .flatMap(({ path, text }) => {
      const named = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1];
      const schema = named === undefined ? "none" : relative(root, join(root, dirname(path), named));
      return readYaml(text).map(({ value }): [string, string, unknown] => [path, schema, value]);
    });
const examples = [...documentsIn("docs/examples"), ...documentsIn("deploy")];

test.each(Object.entries(files))("%s is what the contract says; `npm run docs` makes it", (path, text) => {
  expect(readFileSync(join(root, path), "utf8")).toBe(text);
});

test.each(examples)("the example %s names %s, which accepts it", (_name, schema, document) => {
  expect(Object.keys(files)).toContain(schema);
  expect(faultsOf(document, basename(schema))).toEqual([]);
});

test("what is deployed is among the examples", () => {
  const deployed = ["deploy/compose/rollouts/shop.yaml", "deploy/envoy-gateway/rollout.yaml", "deploy/istio/rollout.yaml"];
  expect(examples.map(([path]) => path)).toEqual(expect.arrayContaining(deployed));
});

test("the schema that docs/write-a-rollout.md names is in the package", () => {
  const page = readFileSync(join(root, "docs", "write-a-rollout.md"), "utf8");
  const [, named = ""] = /\$schema=\.\.\/node_modules\/serin\/(\S+)\n/.exec(page) ?? [];
  expect(Object.keys(files)).toContain(named);
});

test.each(documentsIn("test/vectors/valid"))("%s is valid to an editor too", (_name, _schema, document) => {
  expect(faultsOf(document)).toEqual([]);
});

/** The document once for each mapping in it, with a key there that means nothing. */
function misspelt(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => misspelt(item).map((worse) => value.with(index, worse)));
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value);
  const below = entries.flatMap(([key, inner]) => misspelt(inner).map((worse) => ({ ...value, [key]: worse })));
  return [{ ...value, "no such key": 1 }, ...below];
}

test.each(examples)("a key that is misspelt is found anywhere in %s", (_name, schema, document) => {
  const worse = misspelt(document);
  expect(worse.length).toBeGreaterThan(1);
  expect(worse.filter((each) => faultsOf(each, basename(schema)).length === 0)).toEqual([]);
});

describe("what tells the kinds apart", () => {
  test.each([
    { title: "a kind that is none", document: { apiVersion: "serin/v1", kind: "Rolout" }, at: "/kind" },
    { title: "no kind", document: { apiVersion: "serin/v1" }, at: "" },
    { title: "a rollout without its key", document: { apiVersion: "serin/v1", kind: "Rollout", name: "a" }, at: "" },
  ])("refuses $title", ({ document, at }) => {
    expect(faultsOf(document).map((fault) => fault.split(":")[0])).toContain(at);
  });
});

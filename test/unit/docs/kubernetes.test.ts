import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ValuesSchema } from "../../../scripts/chart/values.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { blocksOf } from "../../support/doc-blocks.ts";
import { goldens, manifestsOf } from "../../support/manifests.ts";

const page = readFileSync(join(packageRoot(), "docs", "kubernetes.md"), "utf8");
const blocks = (kind: string): string[] => blocksOf(page, kind);

/** Faults of an excerpt of values, which leaves whole groups out. */
const unknownIn = (values: unknown): string[] =>
  (ValuesSchema.safeParse(values).error?.issues ?? [])
    .map(({ message }) => message)
    .filter((message) => !message.endsWith("received undefined"));

const settings = [...page.matchAll(/--set (\S+)=(\S+)/g)].map(([, path = "", value = ""]) => [path, value] as const);

test.each(settings)("the chart knows the value %s=%s", (path, value) => {
  const nested = path.split(".").reduceRight<unknown>((below, name) => ({ [name]: below }), parse(value));
  expect(unknownIn(nested)).toEqual([]);
});

test("the example of values is one that the chart takes", () => {
  const [values, ...others] = blocks("yaml values");
  expect(others).toEqual([]);
  expect(unknownIn(parse(values ?? ""))).toEqual([]);
  expect(unknownIn({ nats: { ulr: "" } })).not.toEqual([]);
});

test("each value of the table is one of the chart", () => {
  const rows = [...page.matchAll(/^\| (`\w+\.[^|]+) \|/gm)].flatMap(([, cell = ""]) => cell.match(/[\w.]+\.\w+/g) ?? []);
  expect(rows.length).toBeGreaterThan(5);
  const readme = readFileSync(join(packageRoot(), "deploy", "helm", "serin", "README.md"), "utf8");
  expect(rows.filter((name) => !readme.includes(`| \`${name}\` |`))).toEqual([]);
});

test("each folder that the page names is there", () => {
  const paths = [...page.matchAll(/deploy\/(?:kustomize|helm)\/[\w/-]+(?:\.\w+)?/g)].map(([path]) => path);
  expect(paths.length).toBeGreaterThan(5);
  expect(paths.filter((path) => !existsSync(join(packageRoot(), path)))).toEqual([]);
});

describe("the names that the page tells", () => {
  const manifests = goldens().flatMap(([, text]) => manifestsOf(text));

  test.each([
    ["Deployment", "serin-controller"],
    ["Service", "serin-sidecar"],
    ["ConfigMap", "serin-native-sidecar"],
  ])("are those of what is installed: %s %s", (kind, name) => {
    expect(page).toContain(name);
    expect(manifests.some((manifest) => manifest.kind === kind && manifest.metadata.name === name)).toBe(true);
  });
});

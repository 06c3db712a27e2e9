import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../../../src/contract/version.ts";
import { packageRoot } from "../../../src/io/package-root.ts";

const root = packageRoot();
const textOf = (path: string): string => readFileSync(join(root, path), "utf8");
const dockerfile = textOf("Dockerfile");

/** What is copied out of the checkout, sorted. */
const copied = [...dockerfile.matchAll(/^COPY (?!--from)(?<paths>.+) \S+$/gm)]
  .flatMap(({ groups }) => groups?.["paths"]?.split(" ") ?? [])
  .toSorted();

test("the image is built from these files and folders, which exist, and whoever builds it is sent no others", () => {
  expect(copied.length).toBeGreaterThan(5);
  for (const path of copied) expect(statSync(join(root, path)).mtimeMs).toBeGreaterThan(0);
  const [everything, ...allowed] = textOf(".dockerignore")
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("#"));
  expect(everything).toBe("*");
  expect(allowed.toSorted()).toEqual(copied.map((path) => `!${path}`));
});

test("every script and configuration that the build names is among them", () => {
  const { scripts } = JSON.parse(textOf("package.json"));
  const named = `${scripts.build} ${scripts.sbom}`.match(/[\w/.-]+\.(mjs|json)/g) ?? [];
  expect(named).toEqual(["tsconfig.build.json", "scripts/bundle.mjs", "scripts/link-program.mjs", "scripts/sbom.mjs"]);
  expect(named.filter((path) => !copied.includes(path))).toEqual([]);
});

test("the image carries the version of the package", () => {
  expect(JSON.parse(textOf("package.json")).version).toBe(VERSION);
  expect(dockerfile).toContain(`\nARG VERSION=${VERSION}\n`);
});

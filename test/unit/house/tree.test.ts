import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../../src/io/package-root.ts";

const root = packageRoot();

const FOREIGN = new Set([".git", "node_modules", "dist", ".cache", "coverage", "proto", "package-lock.json", "LICENSE"]);

/** Files of text of the project, without those that are made or copied from elsewhere. */
const files = listFiles("");

function listFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !FOREIGN.has(entry.name) && !entry.name.endsWith(".png"))
    .flatMap((entry) => (entry.isDirectory() ? listFiles(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/** `file: line` of each line that holds what the pattern finds. */
function linesWith(pattern: RegExp, among: readonly string[]): string[] {
  return among.flatMap((path) =>
    textOf(path)
      .split("\n")
      .filter((line) => pattern.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
}

const textOf = (path: string): string => readFileSync(join(root, path), "utf8");

describe("the tree", () => {
  test("has files", () => {
    expect(files).toContain("package.json");
    expect(files.filter((path) => path.startsWith("src/")).length).toBeGreaterThan(50);
  });

  test("has no source or test of more than 250 lines", () => {
    const long = files.filter((path) => /\.tsx?$/.test(path) && textOf(path).split("\n").length > 251);
    expect(long).toEqual([]);
  });

  test("names no directory of anybody's machine", () => {
    expect(linesWith(/(^|[\s"'`(=:])\/(root|work|home|Users)\/[a-z]/, files)).toEqual([]);
  });

  test("names registries' hosts nowhere but in the Dockerfile", () => {
    const hosts = new RegExp(
      ["registry\\.npmjs", "pypi\\.", "pythonhosted", "gcr\\.io", "docker\\.io", "ghcr\\.io", "quay\\.io"].join("|"),
    );
    expect(
      linesWith(
        hosts,
        files.filter((path) => path !== "Dockerfile" && path !== "test/unit/house/tree.test.ts"),
      ),
    ).toEqual([]);
  });

  test("has no folder that could hold anything", () => {
    expect(files.filter((path) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/.test(path))).toEqual([]);
  });

  test("leaves nothing for later", () => {
    const words = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);
    expect(linesWith(words, files)).toEqual([]);
  });
});

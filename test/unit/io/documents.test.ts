import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DocumentError } from "../../../src/contract/errors.ts";
import { EXIT } from "../../../src/contract/exit-codes.ts";
import { parseRollouts, readDocuments } from "../../../src/io/documents.ts";
import invalid from "../../vectors/invalid/expected.json" with { type: "json" };
import valid from "../../vectors/valid/expected.json" with { type: "json" };

const vectors = new URL("../../vectors/", import.meta.url);
const filesOf = (folder: string): string[] =>
  readdirSync(new URL(folder, vectors))
    .filter((name) => name.endsWith(".yaml"))
    .sort();
const textOf = (path: string): string => readFileSync(new URL(path, vectors), "utf8");

/** The error that a text draws; fails the test when it draws none. */
function errorOf(text: string, file = "rollout.yaml"): DocumentError {
  try {
    parseRollouts(text, file);
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
  throw new Error(`${file} was accepted`);
}

const rollout = (name: string): string =>
  [
    "apiVersion: serin/v1",
    "kind: Rollout",
    `name: ${name}`,
    "key: [{ header: x-user-id }]",
    "variants: { stable: { cluster: v1 }, canary: { cluster: v2 } }",
    "strategy: { use: fast }",
    "",
  ].join("\n");

describe("a file with a fault is refused with where, what and the fix", () => {
  test("every file in the folder has its expected message, and every message its file", () => {
    expect(Object.keys(invalid).sort()).toEqual(filesOf("invalid/"));
  });

  test.each(Object.entries(invalid))("%s", (file, expected) => {
    const text = textOf(`invalid/${file}`);
    expect(errorOf(text, file).message.split("\n")).toEqual(expected.map((line) => `${file}:${line}`));
  });
});

describe("a valid file is read with its defaults, shares in basis points and times in milliseconds", () => {
  test("every file in the folder has its expected value, and every value its file", () => {
    expect(Object.keys(valid).sort()).toEqual(filesOf("valid/"));
  });

  test.each(Object.entries(valid))("%s", (file, expected) => {
    expect(JSON.parse(JSON.stringify(parseRollouts(textOf(`valid/${file}`), file)))).toEqual(expected);
  });

  test("the shipped example is one", () => {
    const example = readFileSync(new URL("../../../docs/examples/checkout.yaml", import.meta.url), "utf8");
    expect(parseRollouts(example, "checkout.yaml").map(({ name }) => name)).toEqual(["checkout"]);
  });
});

describe("the error of a file", () => {
  test("carries each fault as fields, with the exit code of a bad file", () => {
    const error = errorOf(rollout("checkout").replace("use: fast", "use: Quick"));
    expect(error).toMatchObject({ code: "DOCUMENT_INVALID", exitCode: EXIT.usage });
    expect(error.faults).toEqual([
      {
        file: "rollout.yaml",
        line: 6,
        column: 18,
        path: "strategy.use",
        problem: '"Quick" is not a name',
        fix: "use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
      },
    ]);
  });

  test("has the faults of all documents in the order of the file", () => {
    const text = [rollout("A"), rollout("search"), rollout("search"), "a: [\n"].join("---\n");
    expect(errorOf(text).faults.map(({ line, problem }) => `${line} ${problem.slice(0, 30)}`)).toEqual([
      '3 "A" is not a name',
      "17 search stands in line 10 alrea",
      "23 not YAML: Flow sequence in blo",
    ]);
  });

  test("stops at the first errors of syntax, and quotes little: a text that is no YAML has one in each line", () => {
    const text = `${rollout("checkout")}---\n# A title\n\`\`\`\n${"| some | words: of | a table |\n".repeat(50)}---\nb: [\n`;
    const { faults } = errorOf(text);
    expect(faults).toHaveLength(3);
    expect(faults[0]).toMatchObject({ line: 9, problem: expect.stringContaining("not YAML: ") });
    for (const { problem } of faults) expect(problem.length).toBeLessThan(160);
  });

  test("names a repeated name even when the first rollout of that name is faulty", () => {
    const text = [rollout("checkout").replace("fast", "Quick"), rollout("checkout")].join("---\n");
    expect(errorOf(text).faults.map(({ path }) => path)).toEqual(["strategy.use", "name"]);
  });

  test("shortens a long value", () => {
    const [fault] = errorOf(rollout(`"${"x".repeat(5_000)} "`)).faults;
    expect(fault?.problem.length).toBeLessThan(100);
  });

  test("points at the key when its value is missing", () => {
    const [fault] = errorOf(`${rollout("checkout")}salt:\n`).faults;
    expect(fault).toMatchObject({ line: 7, path: "salt", problem: "empty", fix: "write a text, or leave the key out" });
  });

  test("points at the alias when the fault came by one", () => {
    const text = rollout("checkout").replace(
      "{ stable: { cluster: v1 }, canary: { cluster: v2 } }",
      "{ stable: &a { cluster: 1 }, canary: *a }",
    );
    expect(errorOf(text).faults.map(({ column, path }) => [column, path])).toEqual([
      [35, "variants.stable.cluster"],
      [48, "variants.canary.cluster"],
    ]);
  });

  test("is about the repeated key alone when the rest is well", () => {
    expect(errorOf(`${rollout("checkout")}salt: a\nsalt: b\n`).message).toBe(
      "rollout.yaml:8:1: key salt stands twice; keep one of the two",
    );
  });
});

describe("the size of a file", () => {
  const padded = (bytes: number): string => rollout("checkout") + "#".repeat(bytes - Buffer.byteLength(rollout("checkout")));

  test("may be 1 MiB", () => {
    expect(parseRollouts(padded(1_048_576), "rollout.yaml")).toHaveLength(1);
  });

  test("may not be a byte more", () => {
    expect(errorOf(padded(1_048_577)).message).toBe("rollout.yaml:1:1: the file is larger than 1 MiB; split it");
  });

  test("counts bytes, not letters", () => {
    expect(errorOf(`# ${"é".repeat(600_000)}`).message).toContain("larger than 1 MiB");
  });

  test("within the limit, tens of thousands of keys are all reported", () => {
    const keys = Array.from({ length: 30_000 }, (_, index) => `k${index}: 1`).join("\n");
    expect(errorOf(keys).faults.filter(({ problem }) => problem === "unknown key")).toHaveLength(30_000);
  });
});

test("a rollout is also given as it was written", () => {
  const [read] = readDocuments(rollout("checkout"), "rollout.yaml").rollouts;
  expect(read?.written).toMatchObject({ name: "checkout", strategy: { use: "fast" } });
  expect(read?.written).not.toHaveProperty("onUnwatched");
  expect(read?.rollout.onUnwatched).toBe("stable");
});

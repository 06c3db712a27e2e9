import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { DocumentError, type Fault } from "../../src/contract/errors.ts";
import { parseRollouts } from "../../src/io/documents.ts";

/** What a text draws: its rollouts, or its faults. Anything but a DocumentError fails the test. */
function outcome(text: string): { rollouts: number; faults: readonly Fault[] } {
  try {
    return { rollouts: parseRollouts(text, "rollout.yaml").length, faults: [] };
  } catch (error) {
    if (error instanceof DocumentError) return { rollouts: 0, faults: error.faults };
    throw error;
  }
}

const word = fc.constantFrom(
  ...["apiVersion", "serin/v1", "kind", "Rollout", "name", "key", "header", "cookie", "variants", "stable", "canary", "cluster", "tags"],
  ...[
    "strategy",
    "type",
    "use",
    "fast",
    "stages",
    "share",
    "5%",
    "minTime",
    "10m",
    "targets",
    "when",
    "users",
    "match",
    "hosts",
    "paths",
    "checks",
  ],
);
const value = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: "small", withCrossShrink: true }, tie("leaf"), tie("list"), tie("map")),
  leaf: fc.oneof(word, fc.string({ maxLength: 8 }), fc.integer(), fc.double(), fc.boolean(), fc.constant(null)),
  list: fc.array(tie("any"), { maxLength: 3 }),
  map: fc.dictionary(fc.oneof(word, fc.string({ maxLength: 5 })), tie("any"), { maxKeys: 5, noNullPrototype: true }),
})).any;

const base = {
  apiVersion: "serin/v1",
  kind: "Rollout",
  name: "checkout",
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "v1" }, canary: { cluster: "v2" } },
  strategy: { type: "canary", stages: [{ share: "5%" }] },
  targets: [{ name: "testers", when: { header: { name: "x-beta", exact: "1" } }, variant: "canary" }],
};
const field = fc.constantFrom(...Object.keys(base), "match", "checks", "onUnwatched", "salt");

describe("reading a file", () => {
  const yamlish = fc
    .array(
      fc.oneof(
        word,
        fc.constantFrom(": ", "\n", "\n  ", "- ", "{", "}", "[", "]", "&a ", "*a", "---\n", '"', "#", "!t ", "<<", "? ", "|\n", "\t", ","),
      ),
    )
    .map((parts) => parts.join(""));
  test.prop([fc.oneof(yamlish, fc.string({ unit: "binary", maxLength: 60 }))])("ends in rollouts or in faults, never otherwise", (text) => {
    const { rollouts, faults } = outcome(text);
    expect(rollouts > 0).toBe(faults.length === 0);
  });

  test.prop([fc.array(fc.tuple(field, value), { maxLength: 3 })])(
    "puts every fault at a place of the file, with what and how",
    (changes) => {
      const text = JSON.stringify({ ...base, ...Object.fromEntries(changes) }, undefined, 1);
      const lines = text.split("\n");
      const isElsewhere = ({ line, column }: Fault): boolean => line > lines.length || column > (lines[line - 1] ?? "").length + 1;
      const isVague = ({ problem, fix }: Fault): boolean => [problem, fix].some((part) => /^$|undefined|Invalid input/.test(part));
      expect(outcome(text).faults.filter((fault) => isElsewhere(fault) || isVague(fault))).toEqual([]);
    },
  );

  test.prop([fc.array(fc.tuple(field, value), { minLength: 1, maxLength: 3 })])(
    "is the same whether the file is laid out as blocks or in one line",
    (changes) => {
      const document = { ...base, ...Object.fromEntries(changes) };
      const summary = (text: string): string[] =>
        outcome(text)
          .faults.map(({ path, problem, fix }) => `${path}: ${problem}; ${fix}`)
          .sort();
      expect(summary(JSON.stringify(document, undefined, 2))).toEqual(summary(JSON.stringify(document)));
    },
  );
});

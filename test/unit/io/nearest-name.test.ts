import { expect, test } from "vitest";
import { nearestName } from "../../../src/io/nearest-name.ts";

const known = ["match", "key", "strategy", "salt", "share", "stages"];

test.each([
  { title: "takes two letters that changed places", given: "mtach", name: "match" },
  { title: "takes a missing letter", given: "stratgy", name: "strategy" },
  { title: "takes a letter too many", given: "keyy", name: "key" },
  { title: "takes another letter", given: "shere", name: "share" },
  { title: "takes another case", given: "Match", name: "match" },
  { title: "takes the singular", given: "stage", name: "stages" },
  { title: "takes the nearer of two", given: "shar", name: "share" },
  { title: "takes nothing far away", given: "replicas", name: undefined },
  { title: "takes nothing for a short name with two faults", given: "kxx", name: undefined },
  { title: "takes nothing for a very long name", given: "k".repeat(100_000), name: undefined },
  { title: "takes nothing for an empty name", given: "", name: undefined },
])("$title", ({ given, name }) => {
  expect(nearestName(given, known)).toBe(name);
});

test("of nothing known there is no nearest", () => {
  expect(nearestName("match", [])).toBeUndefined();
});

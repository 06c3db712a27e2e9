import { describe, expect, test } from "vitest";
import { GroupsTextSchema, groupsText, ruleHere } from "../../../src/contract/groups.ts";

const rule = { run: 3, shareBp: 5_000, groups: groupsText("zone", ["a", "b.1"]) };

describe("a live rule with groups of sidecars", () => {
  test.each([
    { title: "holds in each of its groups", labels: { zone: "b.1", cluster: "x" }, shareBp: 5_000 },
    { title: "gives nobody another variant in any other", labels: { zone: "b" }, shareBp: 0 },
    { title: "nor by another label", labels: { region: "a" }, shareBp: 0 },
    { title: "nor without labels", labels: {}, shareBp: 0 },
  ])("$title", ({ labels, shareBp }) => {
    expect(ruleHere(rule, labels)).toEqual({ ...rule, shareBp });
  });

  test("without groups it holds everywhere", () => {
    const everywhere = { shareBp: 5_000 };
    expect(ruleHere(everywhere, {})).toBe(everywhere);
  });

  test("names them in one text without braces and quotes, for rules are compared as texts", () => {
    expect(GroupsTextSchema.safeParse(rule.groups).success).toBe(true);
    for (const text of ["zone", "zone=", "zone=a,", "=a", "zone=a}", 'zone="a"'])
      expect(GroupsTextSchema.safeParse(text).success).toBe(false);
  });
});

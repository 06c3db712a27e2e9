import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Phase } from "../../../src/contract/live.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { mayUse, offered, VERBS } from "../../../src/ui/verbs.ts";

/** The table of docs/operating.md, which a test compares with the plan: phase in words → verbs that are not refused. */
const [heads = [], , ...rows] =
  readFileSync(join(packageRoot(), "docs", "operating.md"), "utf8")
    .split("<!-- verbs by phase -->\n")[1]
    ?.split("\n\n")[0]
    ?.split("\n")
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim())
        .slice(1, -1),
    ) ?? [];

const inWords: Readonly<Record<string, Phase>> = {
  "rolling back": "rollingBack",
  "rolling back in steps": "rollingBack",
  "rolled back": "rolledBack",
  "handed over": "handedOver",
};

describe("verbs", () => {
  test.each(rows.flatMap(([phases = "", ...cells]) => phases.split(", ").map((phase) => ({ phase, cells }))))(
    "offered while $phase are those that the plan takes",
    ({ phase, cells }) => {
      const taken = heads.slice(1).filter((_, index) => cells[index] !== "-");
      const known: Phase = inWords[phase] ?? (phase as Phase);
      expect(
        offered(known)
          .map(({ id }) => id as string)
          .toSorted(),
      ).toEqual(taken.toSorted());
    },
  );

  test("are for operators, and at a gate for approvers", () => {
    const may = (role: "view" | "approve" | "operate", phase: Phase) =>
      VERBS.filter(({ id }) => mayUse(role, id, phase)).map(({ id }) => id);
    expect(may("operate", "stage")).toHaveLength(VERBS.length);
    expect(may("approve", "gate")).toEqual(["promote", "abort"]);
    expect([may("approve", "stage"), may("view", "gate")]).toEqual([[], []]);
  });
});

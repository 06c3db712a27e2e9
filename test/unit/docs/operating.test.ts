import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseRollouts } from "../../../src/io/documents.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { blocksOf } from "../../support/doc-blocks.ts";
import { events, states, stepOf } from "../../support/plan-inputs.ts";

const page = readFileSync(join(packageRoot(), "docs", "operating.md"), "utf8");
const blocks = (language: string): string[] => blocksOf(page, language);

const head = ["apiVersion: serin/v1", "kind: Rollout", "name: checkout", "key: [{ header: x-user-id }]"].join("\n");
const variants = "variants: { stable: { cluster: v1 }, canary: { cluster: v2 } }";

test("each example is one that a rollout may hold", () => {
  const parsed = blocks("yaml").map((text) => {
    const strategy = text.startsWith("strategy:") ? "" : "strategy: { use: fast }";
    return parseRollouts([head, variants, strategy, text].join("\n"), "operating.md")[0];
  });
  const said = parsed.map((rollout) => [rollout?.retreat, rollout?.promotion !== undefined, rollout?.mode, rollout?.blastRadius]);
  expect(said).toEqual([
    [{ step: 2_000, every: 30_000 }, false, "act", undefined],
    [undefined, false, "act", undefined],
    [undefined, true, "act", undefined],
    [undefined, false, "advise", undefined],
    [undefined, false, "act", { failedRequests: 200, failedUsers: 50 }],
  ]);
});

test("each row of what breaks names tests that there are", () => {
  const rows = /^\| What breaks .*?\n\n/ms.exec(page)?.[0].trim().split("\n").slice(2) ?? [];
  expect(rows.length).toBeGreaterThan(10);
  const named = rows.map((row) => [...(row.split(" | ").at(-1) ?? "").matchAll(/`([\w/-]+)`/g)].map(([, path]) => `${path}.test.ts`));
  expect(named.filter((paths) => paths.length === 0)).toEqual([]);
  expect(named.flat().filter((path) => !existsSync(join(packageRoot(), "test", path)))).toEqual([]);
});

describe("the table of verbs", () => {
  const VERBS = ["promote", "promoteFull", "pause", "resume", "abort", "retry", "undo", "handover"] as const;
  const STATES = {
    pending: "pending",
    "stage, ramp, holdback": "stage",
    paused: "paused",
    promoting: "promoting",
    promoted: "promoted",
    "rolling back": "rollingBack",
    "rolling back in steps": "retreating",
    "rolled back": "rolledBack",
  } as const;

  test.each(Object.entries(STATES))("is true of %s", (name, state) => {
    const row = page.split("\n").find((line) => line.startsWith(`| ${name} |`)) ?? "";
    const cells = row.split(" | ").slice(1);
    const refused = cells.map((cell) => cell.replace(" |", "") === "-");
    expect(refused).toEqual(VERBS.map((verb) => !stepOf(states[state], events[verb]).ok));
  });
});

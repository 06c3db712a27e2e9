import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRollouts, readDocuments } from "../../../src/io/documents.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { blocksOf, ROLLOUT_HEAD } from "../../support/doc-blocks.ts";

const page = readFileSync(join(packageRoot(), "docs", "policy.md"), "utf8");
const blocks = (kind: string): string[] => blocksOf(page, `yaml ${kind}`);

test("the policy of the page is one that can be applied", () => {
  const [policy] = blocks("policy").flatMap((text) => readDocuments(text, "policy.md").policies);
  expect(policy?.calendars?.["office"]).toBeDefined();
});

test("each example of a field is one that a rollout may have", () => {
  const fields = blocks("rollout").map((text) => parseRollouts(ROLLOUT_HEAD + text, "policy.md")[0]);
  expect(fields.map((rollout) => [rollout?.calendar, rollout?.after, rollout?.handover].map((field) => field !== undefined))).toEqual([
    [true, false, false],
    [false, true, false],
    [false, false, true],
    [false, false, true],
  ]);
});

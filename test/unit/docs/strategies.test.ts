import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readDocuments } from "../../../src/io/documents.ts";
import { packageRoot } from "../../../src/io/package-root.ts";

const page = readFileSync(join(packageRoot(), "docs", "strategies.md"), "utf8");
const blocks = [...page.matchAll(/^```yaml ?(\w*)\n(.*?)^```/gms)].map(([, kind = "", text = ""]) => ({ kind, text }));

const rolloutWith = (variants: string, strategy: string): string =>
  ["apiVersion: serin/v1", "kind: Rollout", "name: cart", "key: [{ header: x-user-id }]", variants, strategy].join("\n");
const CLUSTERS = "variants: { stable: { cluster: v1 }, canary: { cluster: v2 } }";
const TAGS = "variants: { stable: { tags: { x-serin-new: no } }, canary: { tags: { x-serin-new: new } } }".replace("no }", '"no" }');

test("each example of a strategy is one that a rollout may hold", () => {
  const types = blocks
    .filter(({ kind }) => kind !== "template")
    .map(
      ({ kind, text }) =>
        readDocuments(rolloutWith(kind === "tags" ? TAGS : CLUSTERS, text), "strategies.md").rollouts[0]?.rollout.strategy,
    )
    .map((strategy) => (strategy !== undefined && "type" in strategy ? strategy.type : strategy?.use));
  expect(types).toEqual(["blueGreen", "abTest", "toggle", "rolling", "mirror", "team-search"]);
});

test("the example of a template is one", () => {
  const templates = blocks.filter(({ kind }) => kind === "template").flatMap(({ text }) => readDocuments(text, "strategies.md").templates);
  expect(templates.map(({ name }) => name)).toEqual(["team-search"]);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRollouts } from "../../../src/io/documents.ts";
import { packageRoot } from "../../../src/io/package-root.ts";

const page = readFileSync(join(packageRoot(), "docs", "leading.md"), "utf8");
const head = [
  "apiVersion: serin/v1",
  "kind: Rollout",
  "name: cart",
  "key: [{ header: x-user-id }]",
  "variants: { stable: { cluster: v1 }, canary: { cluster: v2 } }",
  "strategy: { use: fast }",
  "",
].join("\n");

test("each example is one that a rollout may hold", () => {
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) => text);
  const [stragglers, reflex] = blocks.map((text) => parseRollouts(head + text, "leading.md")[0]);
  expect([blocks.length, stragglers?.stragglers, reflex?.reflex]).toEqual([
    2,
    { after: 30_000, action: "goOn" },
    { failures: 5, users: 3 },
  ]);
});

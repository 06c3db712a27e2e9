import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { askWebhook } from "../../../src/controller/checks/webhook.ts";
import { parseRollouts } from "../../../src/io/documents.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { blocksOf } from "../../support/doc-blocks.ts";
import { serverThat } from "../../support/http-answers.ts";

const page = readFileSync(join(packageRoot(), "docs", "checks.md"), "utf8");
const blocks = (language: string): string[] => blocksOf(page, language);

const head = [
  "apiVersion: serin/v1",
  "kind: Rollout",
  "name: cart",
  "key: [{ header: x-user-id }]",
  "variants: { stable: { cluster: v1 }, canary: { cluster: v2 } }",
  "strategy: { use: fast }",
  "",
].join("\n");

test("each example of a check is one that a rollout may hold", () => {
  const checks = blocks("yaml").map((text) => parseRollouts(head + text, "checks.md")[0]?.checks);
  expect(checks.flatMap((found) => found?.own?.map(({ name }) => name) ?? [])).toEqual([
    "conversions",
    "memory",
    "smoke",
    "complaints",
    "bad-ratings",
  ]);
  expect(checks.some((found) => found?.saturation !== undefined)).toBe(true);
});

test("a webhook that verifies as the page says knows whose question it is", async () => {
  const code: { isGenuine(headers: object, body: string, key: string, nowS?: number): boolean } = await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(blocks("js")[0] ?? "")}`
  );
  const atMs = 1_700_000_000_123;
  const genuine: boolean[] = [];
  const url = await serverThat(({ headers, text }, response) => {
    const nowS = atMs / 1_000;
    genuine.push(
      code.isGenuine(headers, text, "key", nowS),
      code.isGenuine(headers, text, "other", nowS),
      code.isGenuine(headers, `${text} `, "key", nowS),
      code.isGenuine(headers, text, "key", nowS + 301),
      code.isGenuine({}, text, "key", nowS),
    );
    response.end('{"verdict":"advance"}');
  });
  const question = { check: "smoke", rollout: "cart", run: 3, variant: "canary", shareBp: 500, atMs };
  await askWebhook(question, { url, timeoutMs: 5_000, key: "key", signal: new AbortController().signal });
  expect(genuine).toEqual([true, false, false, false, false]);
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { documentOf } from "../controller/builders.ts";
import { runWith } from "./cli-parts.ts";

const directory = mkdtempSync(join(tmpdir(), "serin-lint-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** A file with these documents; JSON is YAML too. */
function fileOf(name: string, documents: readonly unknown[]): string {
  const path = join(directory, name);
  writeFileSync(path, documents.map((document) => JSON.stringify(document)).join("\n---\n"));
  return path;
}

const testers = { apiVersion: "serin/v1", kind: "Segment", name: "testers", users: ["tess"] };
const asking = documentOf("shop", { targets: [{ name: "t", when: { segment: "testers" }, variant: "canary" }] });

test("`serin lint` names what is valid, without a server", async () => {
  expect(await runWith(["lint", "-f", fileOf("good.yaml", [testers, asking])])).toMatchObject({
    code: 0,
    out: "segment testers: valid\nshop: valid\n",
    error: "",
  });
});

test("`serin lint` warns of rollouts that exclude each other, and of segments that must be there already", async () => {
  const rival = { ...documentOf("other"), match: asking.match };
  const { code, out, error } = await runWith(["lint", "-f", fileOf("rivals.yaml", [asking, rival])]);
  expect({ code, out, error: error.split("\n") }).toEqual({
    code: 0,
    out: "shop: valid\nother: valid\n",
    error: [
      "warning: shop and other would both govern the same host and path; only one of them can run at a time",
      "warning: shop asks for segment testers, which is in none of these files; it must be applied before",
      "",
    ],
  });
  const asJson = await runWith(["lint", "--json", "-f", join(directory, "rivals.yaml")]);
  expect(JSON.parse(asJson.out)).toMatchObject({
    rollouts: ["shop", "other"],
    segments: [],
    warnings: [expect.any(String), expect.any(String)],
  });
});

test("`serin lint` warns of copies that change something", async () => {
  const copies = { ...documentOf("shop"), mirror: { cluster: "shop-canary", share: "10%", methods: ["GET", "POST", "PUT"] } };
  expect(await runWith(["lint", "-f", fileOf("copies.yaml", [copies])])).toMatchObject({
    code: 0,
    error: "warning: shop copies POST, PUT too: what those change is changed a second time by cluster shop-canary\n",
  });
});

test("`serin lint` refuses a fault with its place and the fix", async () => {
  const file = fileOf("bad.yaml", [{ ...asking, key: [] }]);
  const { code, error } = await runWith(["lint", "-f", file]);
  expect([code, error]).toEqual([2, expect.stringContaining(`${file}:1:`)]);
});

test.each(["lint", "diff"])("`serin %s` of a segment whose file is missing says so", async (verb) => {
  const file = fileOf("users.yaml", [{ ...testers, usersFrom: "nobody.txt" }]);
  expect(await runWith([verb, "-f", file])).toMatchObject({ code: 2, error: expect.stringContaining("nobody.txt cannot be read") });
});

test.each(["yesterday", "10", "2026-03-10"])("`serin audit --since %s` is a usage error", async (since) => {
  expect(await runWith(["audit", "--since", since])).toMatchObject({ code: 2 });
});

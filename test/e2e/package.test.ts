import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "../../src/contract/version.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type PackedSerin, type ProgramResult, packSerin, runIn } from "../support/package.ts";

const checkoutManifest = join(packageRoot(), "package.json");

let packed: PackedSerin;
let app: string;
let before: { text: string; mtimeMs: number };

const manifestNow = async (): Promise<typeof before> => ({
  text: await readFile(checkoutManifest, "utf8"),
  mtimeMs: (await stat(checkoutManifest)).mtimeMs,
});
const installed = (...path: string[]): string => join(app, "node_modules", "serin", ...path);
const inApp = () => ({ cwd: app, env: packed.env });

beforeAll(async () => {
  before = await manifestNow();
  packed = await packSerin();
  app = join(packed.folder, "app");
  await mkdir(app);
  const done = await runIn(inApp(), "npm", "install", "--offline", "--no-audit", packed.tarball);
  expect(done).toMatchObject({ code: 0 });
});
afterAll(() => packed.remove());

describe("the package", () => {
  test("installs without a registry: it brings no other package", async () => {
    expect((await readdir(join(app, "node_modules"))).filter((name) => !name.startsWith("."))).toEqual(["serin"]);
  });

  test("leaves package.json of the checkout as it was", async () => {
    const { text, mtimeMs } = await manifestNow();
    expect(text).toBe(before.text);
    // A younger one would be a reason to build again.
    expect(mtimeMs).toBeLessThanOrEqual(before.mtimeMs);
  });

  test("holds what runs and what people read, and neither sources nor tests", async () => {
    const names = (await readdir(installed(), { recursive: true })).toSorted();
    const needed = ["CHANGELOG.md", "LICENSE", "README.md", "dist/bin/THIRD-PARTY-NOTICES.txt", "dist/ui/page.js", "envoy/envoy.yaml"];
    expect(names).toEqual(
      expect.arrayContaining([...needed, "schemas/rollout.json", "scripts/tools.lock", "deploy/github-action/serin.mjs"]),
    );
    expect(names.filter((name) => /^(src|test)\/|\.map$|\.tsx?$|\.png$/.test(name))).toEqual([]);
  });

  test("brings the licence of each package that is bundled", async () => {
    const { dependencies } = JSON.parse(before.text);
    const notices = await readFile(installed("dist", "bin", "THIRD-PARTY-NOTICES.txt"), "utf8");
    const bundled = [...notices.matchAll(/^(?<name>\S+) \d\S*: \S+$/gm)].map(({ groups }) => groups?.["name"]);
    // The rest of what is installed is never loaded: types, and what only some users of these packages need.
    expect(bundled).toEqual(expect.arrayContaining(["commander", "pino", "preact", "yaml", "zod", "@nats-io/jetstream"]));
    expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(["zod"]));
    expect(notices).toMatch(/Permission is hereby granted/);
  });

  test("has nothing that publint would have otherwise", async () => {
    const pkg = JSON.parse(await readFile(installed("package.json"), "utf8"));
    const { messages } = await publint({ pkgDir: installed(), pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test("runs", async () => {
    expect(await runIn(inApp(), "npx", "--offline", "serin", "version")).toMatchObject({ code: 0, out: `${VERSION}\n` });
    const serin = (...args: string[]): Promise<ProgramResult> => runIn(inApp(), join(app, "node_modules", ".bin", "serin"), ...args);
    expect(await serin("--help")).toMatchObject({ code: 0, out: expect.stringContaining("Usage: serin") });
    const example = installed("docs", "examples", "checkout.yaml");
    expect(await serin("lint", "-f", example)).toMatchObject({ code: 0, out: "checkout: valid\n" });
    await writeFile(join(app, "rules.json"), (await serin("rules", "-f", example)).out);
    const asked = ["--host", "shop.example", "--path", "/checkout", "--header", "x-user-id=ann"];
    expect(await serin("explain", "--rules", "rules.json", ...asked)).toMatchObject({ code: 0, out: expect.stringContaining("bucket") });
  });
});

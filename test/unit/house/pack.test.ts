import process from "node:process";
import { expect, test } from "vitest";
import { type FakeCheckout, fakeCheckout } from "./fake-checkout.ts";

const checkoutManifest = JSON.stringify({
  name: "serin",
  private: true,
  scripts: { prepack: "x" },
  publishConfig: { bin: { serin: "dist/bin/serin.js" } },
  dependencies: { zod: "4" },
  devDependencies: { vitest: "4" },
  allowScripts: {},
  files: ["dist/bin"],
});

const packing = (checkout: FakeCheckout, step: "pack" | "restore"): unknown =>
  checkout.run(process.execPath, ["scripts/pack.mjs", step]).code;
const manifestOf = (checkout: FakeCheckout): string => checkout.run("cat", ["package.json"]).stdout;

function checkoutOf(): FakeCheckout {
  const checkout = fakeCheckout();
  checkout.write("package.json", checkoutManifest);
  checkout.touch("package.json", 1_000);
  return checkout;
}

test("while it is packed, package.json names the program and nothing that only a checkout needs", () => {
  const checkout = checkoutOf();
  expect(packing(checkout, "pack")).toBe(0);
  expect(JSON.parse(manifestOf(checkout))).toEqual({ name: "serin", files: ["dist/bin"], bin: { serin: "dist/bin/serin.js" } });
});

test("afterwards it is as it was, and no reason to build again", () => {
  const checkout = checkoutOf();
  expect([packing(checkout, "pack"), packing(checkout, "restore")]).toEqual([0, 0]);
  expect(manifestOf(checkout)).toBe(checkoutManifest);
  expect(checkout.run(process.execPath, ["scripts/setup.mjs"]).npm).toEqual([]);
});

test("a part of a millisecond makes it no younger than the build", () => {
  const checkout = checkoutOf();
  for (const path of ["package.json", "dist/bin/serin.js"]) checkout.touch(path, 1_000.000_9);
  expect([packing(checkout, "pack"), packing(checkout, "restore")]).toEqual([0, 0]);
  expect(checkout.run(process.execPath, ["scripts/setup.mjs"]).npm).toEqual([]);
});

test("a pack after one that was broken off packs the same, and puts the same back", () => {
  const checkout = checkoutOf();
  expect([packing(checkout, "pack"), packing(checkout, "pack")]).toEqual([0, 0]);
  expect(JSON.parse(manifestOf(checkout))).toHaveProperty("bin");
  expect(packing(checkout, "restore")).toBe(0);
  expect(manifestOf(checkout)).toBe(checkoutManifest);
});

test("putting back what was never taken away changes nothing", () => {
  const checkout = checkoutOf();
  expect(packing(checkout, "restore")).toBe(0);
  expect(manifestOf(checkout)).toBe(checkoutManifest);
});

test.each(["restore", "pack"] as const)("what was changed after a pack that was broken off is not lost by `%s`", (step) => {
  const checkout = checkoutOf();
  expect(packing(checkout, "pack")).toBe(0);
  const edited = manifestOf(checkout).replace("dist/bin", "dist/other");
  checkout.write("package.json", edited);
  const { code, stderr } = checkout.run(process.execPath, ["scripts/pack.mjs", step]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("move that to package.json")]);
  expect(manifestOf(checkout)).toBe(edited);
  expect(checkout.run("cat", [".cache/package.json"]).stdout).toBe(checkoutManifest);
});

test("a checkout's own package.json that was fetched again is no change", () => {
  const checkout = checkoutOf();
  expect(packing(checkout, "pack")).toBe(0);
  checkout.write("package.json", checkoutManifest);
  expect(packing(checkout, "restore")).toBe(0);
  expect(manifestOf(checkout)).toBe(checkoutManifest);
});

import process from "node:process";
import { describe, expect, test } from "vitest";
import { type FakeCheckout, fakeCheckout, type ScriptResult } from "./fake-checkout.ts";

const setUp = (checkout: FakeCheckout): ScriptResult => checkout.run(process.execPath, ["scripts/setup.mjs"]);

const lock = (packages: Readonly<Record<string, object>>): string => JSON.stringify({ packages });

describe("setting a checkout up", () => {
  test("does and says nothing when all is well", () => {
    expect(setUp(fakeCheckout())).toEqual({ code: 0, stdout: "", stderr: "", npm: [] });
  });

  test.each([
    {
      title: "installs when a package is missing",
      locked: lock({ "": {}, "node_modules/a": { integrity: "1" } }),
      installed: lock({}),
      npm: ["ci"],
    },
    {
      title: "installs when a package is another version",
      locked: lock({ "node_modules/a": { integrity: "1" } }),
      installed: lock({ "node_modules/a": { integrity: "2" } }),
      npm: ["ci"],
    },
    {
      title: "misses no package that is for other platforms",
      locked: lock({ "node_modules/a": { integrity: "1", optional: true } }),
      installed: lock({}),
      npm: [],
    },
    {
      title: "leaves what is as locked",
      locked: lock({ "node_modules/a": { integrity: "1" } }),
      installed: lock({ "node_modules/a": { integrity: "1" } }),
      npm: [],
    },
  ])("$title", ({ locked, installed, npm }) => {
    const checkout = fakeCheckout();
    checkout.write("package-lock.json", locked);
    checkout.write("node_modules/.package-lock.json", installed);
    expect(setUp(checkout).npm).toEqual(npm);
  });

  test.each([
    { path: "src/a.ts", seconds: 2_001, npm: ["run build"] },
    { path: "src", seconds: 2_001, npm: ["run build"] },
    { path: "tsconfig.build.json", seconds: 2_001, npm: ["run build"] },
    { path: "src/a.ts", seconds: 2_000, npm: [] },
  ])("builds when a source is younger than the build: $path at $seconds s, build at 2000 s", ({ path, seconds, npm }) => {
    const checkout = fakeCheckout();
    checkout.touch("dist/bin/serin.js", 2_000);
    checkout.touch(path, seconds);
    expect(setUp(checkout).npm).toEqual(npm);
  });

  test("leaves stdout to the command that follows", () => {
    const checkout = fakeCheckout();
    checkout.touch("dist/bin/serin.js", 0);
    const { stdout, stderr } = setUp(checkout);
    expect([stdout, stderr]).toEqual(["", "serin: building…\nnpm speaks\n"]);
  });

  test("fails with the step that failed", () => {
    const checkout = fakeCheckout();
    checkout.touch("dist/bin/serin.js", 0);
    checkout.write("npm-exit.json", JSON.stringify({ build: 2 }));
    const { code, stderr } = setUp(checkout);
    expect([code, stderr]).toEqual([1, expect.stringContaining("serin: building: `npm run build` ended with exit code 2")]);
  });
});

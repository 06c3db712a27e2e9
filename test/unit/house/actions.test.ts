import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isAction } from "../../../src/contract/actions.ts";
import { packageRoot } from "../../../src/io/package-root.ts";

/** Actions that the plan and the controller write into the audit, as far as they stand there as texts. */
const written = ["src/core/plan", "src/controller"].flatMap((folder) =>
  readdirSync(join(packageRoot(), folder))
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => [
      ...readFileSync(join(packageRoot(), folder, name), "utf8").matchAll(/\baction: "(\w+)"|\bmove\(\s*(?:\{[^;]*?\}|\w+), "(\w+)"/g),
    ])
    .map(([, action, moved]) => action ?? moved ?? ""),
);

test("every action that the audit may hold is explained", () => {
  expect(written.length).toBeGreaterThan(15);
  expect([...new Set(written)].filter((action) => !isAction(action))).toEqual([]);
});

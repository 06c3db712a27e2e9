import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRollouts } from "../../../src/io/documents.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { blocksOf, ROLLOUT_HEAD } from "../../support/doc-blocks.ts";

const page = readFileSync(join(packageRoot(), "docs", "write-a-rollout.md"), "utf8");
const NAME = "write-a-rollout.md";

test("the page's rollout is one, and so is each part of a check that the page names", () => {
  const [text = ""] = blocksOf(page, "yaml rollout");
  expect(parseRollouts(text, NAME)[0]).toMatchObject({ name: "checkout", checks: { errors: { maxIncrease: 0.005 } } });
  const said = [...blocksOf(page, "yaml checks")].map((checks) => parseRollouts(ROLLOUT_HEAD + checks, NAME)[0]?.checks);
  expect(said).toMatchObject([{ preset: "careful", errors: { objective: 0.01 }, latency: { maxIncrease: 0.02 } }]);
});

test("what the table of checks says in code is in force as it stands there", () => {
  const cells = [...page.matchAll(/^\| .* \| `((?:errors|latency|preset): [^`]+)`/gm)].map(([, code = ""]) => code);
  expect(cells).toHaveLength(4);
  for (const code of cells) expect(parseRollouts(`${ROLLOUT_HEAD}checks: { ${code} }\n`, NAME)).toHaveLength(1);
});

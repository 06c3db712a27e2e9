import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type PlantedCopy, plantedCopy } from "./planted-copy.ts";

/** An import that a rule forbids; `from` is the folder whose file has it, `of` what is imported. */
const FORBIDDEN = [
  { rule: "contract-imports-contract", from: "contract", of: "../core/decide/types.ts" },
  { rule: "contract-knows-no-node", from: "contract", of: "node:fs" },
  { rule: "contract-needs-few-packages", from: "contract", of: "pino" },
  { rule: "core-imports-core-and-contract", from: "core/plan", of: "../../io/clock.ts" },
  { rule: "core-knows-no-node", from: "core/judge", of: "node:crypto" },
  { rule: "core-needs-few-packages", from: "core/judge", of: "yaml" },
  { rule: "only-the-judge's-state-needs-a-schema", from: "core/decide", of: "zod" },
  { rule: "decide-knows-neither-judge-nor-plan", from: "core/decide", of: "../judge/types.ts" },
  { rule: "judge-stands-alone", from: "core/judge", of: "../plan/types.ts" },
  { rule: "plan-knows-the-judge's-types", from: "core/plan", of: "../judge/judge.ts" },
  { rule: "simulate-and-replay-decide-nothing", from: "core/simulate", of: "../decide/types.ts" },
  { rule: "io-imports-io-and-contract", from: "io", of: "../core/decide/bucket.ts" },
  { rule: "sidecar-imports-sidecar-and-core-and-contract-and-io", from: "sidecar", of: "../controller/options.ts" },
  { rule: "told-imports-told-and-core-and-contract-and-io", from: "told", of: "../controller/options.ts" },
  { rule: "controller-imports-controller-and-told-and-core-and-contract-and-io", from: "controller", of: "../sidecar/options.ts" },
  { rule: "cli-imports-cli-and-told-and-core-and-contract-and-io", from: "cli", of: "../controller/options.ts" },
  { rule: "demo-imports-demo-and-core-and-contract-and-io", from: "demo", of: "../sidecar/options.ts" },
  { rule: "ui-imports-ui-and-told-and-contract", from: "ui", of: "../core/decide/types.ts" },
  { rule: "ui-knows-no-node", from: "ui", of: "node:fs" },
  { rule: "ui-needs-few-packages", from: "ui", of: "zod" },
  { rule: "nobody-imports-bin", from: "cli", of: "../bin/serin.ts" },
  { rule: "src-imports-no-tests", from: "controller", of: "../../test/support/other.ts" },
  { rule: "only-bin-takes-the-plain-bucketing", from: "demo", of: "../../test/support/plain-bucketing.ts" },
  { rule: "no-development-packages", from: "io", of: "fast-check" },
  { rule: "packages-are-named", from: "io", of: "protobufjs" },
  { rule: "everything-resolves", from: "io", of: "./nothing-there.ts" },
] as const;

const fileOf = (index: number, from: string): string => `src/${from}/planted-${index}.ts`;

const planted: Record<string, string> = {
  "test/support/other.ts": "export const other = 1;\n",
  "src/io/orphan.ts": "export const orphan = 1;\n",
  "src/io/round.ts": 'export * from "./about.ts";\n',
  "src/io/about.ts": 'export * from "./round.ts";\n',
};
for (const [index, { from, of }] of FORBIDDEN.entries())
  planted[fileOf(index, from)] = `import * as it from "${of}";\nexport const used = it;\n`;

const ReportSchema = z.object({
  summary: z.object({ violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })) }),
});

let copy: PlantedCopy;
let found: { file: string; rule: string }[] = [];
beforeAll(async () => {
  copy = plantedCopy(planted);
  const args = ["src", "--config", ".dependency-cruiser.mjs", "--output-type", "json"];
  const report = ReportSchema.parse(JSON.parse(await copy.run("dependency-cruiser/bin/dependency-cruise.mjs", args)));
  found = report.summary.violations.map(({ from, rule }) => ({ file: from, rule: rule.name }));
}, 60_000);
afterAll(() => copy.remove());

describe("the check of imports refuses what is planted", () => {
  test.each(FORBIDDEN.map((row, index) => ({ ...row, file: fileOf(index, row.from) })))(
    "src/$from imports $of: $rule",
    ({ file, rule }) => {
      expect(found).toContainEqual({ file, rule });
    },
  );

  test.each([
    { rule: "no-orphans", file: "src/io/orphan.ts" },
    { rule: "no-cycles", file: "src/io/about.ts" },
  ])("$rule, as in $file", ({ rule, file }) => {
    expect(found).toContainEqual({ file, rule });
  });

  test("and nothing else: the sources themselves keep every rule", () => {
    const own = found.filter(({ file }) => planted[file] === undefined);
    expect(own).toEqual([]);
  });
});

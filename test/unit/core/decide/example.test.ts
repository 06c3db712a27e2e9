import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { staticRulesOf } from "../../../../src/core/decide/rollout-rules.ts";
import { parseRollouts } from "../../../../src/io/documents.ts";
import { CONDITION_REQUESTS } from "../../../support/condition-requests.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

const text = readFileSync(new URL("../../../../docs/examples/conditions.yaml", import.meta.url), "utf8");
const rules = compile(
  ruleSetOf(
    Object.fromEntries(
      parseRollouts(text, "conditions.yaml").map((rollout) => [
        rollout.name,
        { rules: staticRulesOf(rollout), live: ruleOf({}, { shareBp: 0 }).live },
      ]),
    ),
  ),
);

test.each(CONDITION_REQUESTS)("of the example, $title", ({ request, target }) => {
  const { reason, target: found } = decide(rules, factsOf({ ...request, headers: Object.entries(request.headers ?? {}) }));
  expect(found ?? reason).toBe(target);
});

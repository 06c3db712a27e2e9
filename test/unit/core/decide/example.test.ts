import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type CompiledRules, compile } from "../../../../src/core/decide/compile.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { staticRulesOf } from "../../../../src/core/decide/rollout-rules.ts";
import { parseRollouts } from "../../../../src/io/documents.ts";
import { CONDITION_REQUESTS } from "../../../support/condition-requests.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

function rulesOf(example: string, shareBp: number): CompiledRules {
  const text = readFileSync(new URL(`../../../../docs/examples/${example}`, import.meta.url), "utf8");
  const rollouts = parseRollouts(text, example).map((rollout) => {
    const entry = { rules: staticRulesOf(rollout), live: ruleOf({}, { shareBp }).live };
    return [rollout.name, entry] as const;
  });
  return compile(ruleSetOf(Object.fromEntries(rollouts)));
}

const rules = rulesOf("conditions.yaml", 0);

test.each(CONDITION_REQUESTS)("of the example, $title", ({ request, target }) => {
  const { reason, target: found } = decide(rules, factsOf({ ...request, headers: Object.entries(request.headers ?? {}) }));
  expect(found ?? reason).toBe(target);
});

test.each([
  { title: "an id goes before the cookie", headers: [["x-user-id", "ann"]] as const, issued: "made-up", from: "header x-user-id" },
  { title: "without an id the cookie counts", headers: [], issued: "made-up", from: "issued cookie __Host-serin-id" },
  { title: "without either there is no key", headers: [], issued: undefined, from: undefined },
])("of the example with an issued cookie, $title", ({ headers, issued, from }) => {
  const decision = decide(rulesOf("issued-cookie.yaml", 10_000), factsOf({ headers, issued }));
  expect([decision.keySource, decision.variant]).toEqual([from, from === undefined ? "stable" : "canary"]);
});

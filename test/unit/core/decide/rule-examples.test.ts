import { expect, test } from "vitest";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide, decideToggles } from "../../../../src/core/decide/decide.ts";
import { staticRulesOf } from "../../../../src/core/decide/rollout-rules.ts";
import { factsOf, ruleSetOf } from "../../../support/decide-inputs.ts";
import { exampleLive, exampleRollouts, RULE_REQUESTS } from "../../../support/rule-requests.ts";

test.each(RULE_REQUESTS)("of $example, $title", ({ example, host, path, headers, answeredBy, tags }) => {
  const rollouts = exampleRollouts(example);
  const rules = compile(
    ruleSetOf(Object.fromEntries(rollouts.map((rollout) => [rollout.name, { rules: staticRulesOf(rollout), live: exampleLive(rollout) }]))),
  );
  const request = factsOf({ host, path, headers: Object.entries(headers) });
  const decided = [decide(rules, request), ...decideToggles(rules, request)];
  const variants = decided.map(({ rollout = "", variant }) => rules.rollouts.get(rollout)?.variants[variant]);
  expect(variants[0]?.cluster ?? "stable").toBe(answeredBy);
  expect(Object.assign({}, ...variants.map((variant) => variant?.tags))).toEqual(tags);
});

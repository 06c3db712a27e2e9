import { describe, expect, test } from "vitest";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide, NO_ROLLOUT } from "../../../../src/core/decide/decide.ts";
import { explain } from "../../../../src/core/decide/explain.ts";
import { saysTarget, tagsOf } from "../../../../src/core/decide/tags.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";
import { exampleRules } from "../../../support/hop-rules.ts";
import { TAG_REQUESTS } from "../../../support/tag-requests.ts";

/** The value of a tag of the canary for a user of the share. */
function valueOf(template: string): string | undefined {
  const variants = { stable: { cluster: "stable", tags: {} }, canary: { cluster: "canary", tags: { "x-serin-tag": template } } };
  const rules = compile(ruleSetOf({ checkout: ruleOf({ variants }, { shareBp: 10_000, run: 4 }) }));
  const decision = decide(rules, factsOf({ headers: [["x-user-id", "ann"]] }));
  return new Map(tagsOf(decision, rules)).get("x-serin-tag");
}

describe("a tag's value", () => {
  test.each([
    { template: "canary", value: "canary" },
    { template: "{variant}", value: "canary" },
    { template: "{rollout}-{run}", value: "checkout-4" },
    { template: "r{revision}", value: "r1700000000.7" },
    { template: "{reason}", value: "share" },
    { template: "[{target}]", value: "[]" },
    { template: "{target}", value: undefined },
    { template: "", value: undefined },
    { template: '{{"run": {run}}}', value: '{"run": 4}' },
    { template: "{{{run}}}", value: "{4}" },
    { template: "{{run}}", value: "{run}" },
  ])("$template says $value", ({ template, value }) => {
    expect(valueOf(template)).toBe(value);
  });

  test.each([
    { template: "{target}", says: true },
    { template: "{{target}}", says: false },
    { template: "target", says: false },
    { template: "{run} {target}", says: true },
  ])("$template depends on the target: $says", ({ template, says }) => {
    expect(saysTarget(template)).toBe(says);
  });
});

test("a request that no rollout governs gets no tags", () => {
  expect(tagsOf(NO_ROLLOUT, compile(ruleSetOf({})))).toEqual([]);
});

test("explain tells the tags", () => {
  const facts = factsOf({ host: "search.example", headers: [["x-beta", "1"]] });
  const { steps } = explain(exampleRules("tags.yaml"), facts);
  expect(steps.find(({ step }) => step === "tags")?.text).toContain(
    "the upstream is told x-serin-variant: canary, x-serin-decision: search/1: target",
  );
});

describe("of the example", () => {
  const rules = { ...exampleRules("tags.yaml", { shareBp: 0 }), epoch: 0, revision: 1 };

  test.each(TAG_REQUESTS)("$title", ({ headers, tags }) => {
    const decision = decide(rules, factsOf({ host: "search.example", headers: Object.entries(headers) }));
    expect(Object.fromEntries(tagsOf(decision, rules))).toEqual(tags);
  });
});

import { describe, expect, test } from "vitest";
import { compile } from "../../../src/core/decide/compile.ts";
import { decide } from "../../../src/core/decide/decide.ts";
import { createPreparedAnswers } from "../../../src/sidecar/prepared-answers.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";

const target = (name: string, variant: string) => ({ name, variant, when: { header: { name: "x-want", exact: name } } });

/** Three variants; the canary's tag is as given. */
function rulesWith(tag: string) {
  const variants = {
    stable: { cluster: "stable", tags: {} },
    canary: { cluster: "canary", tags: { "x-serin-tag": tag } },
    other: { cluster: "other", tags: {} },
  };
  const targets = [target("a", "canary"), target("b", "canary"), target("c", "other")];
  return compile(ruleSetOf({ checkout: ruleOf({ variants, targets }, { shareBp: 0 }) }));
}

describe("prepared answers", () => {
  const ask = (rules: ReturnType<typeof rulesWith>, answerOf: ReturnType<typeof createPreparedAnswers>, want: string, isSession = false) =>
    answerOf(decide(rules, factsOf({ headers: [["x-want", want]] })), rules, isSession);

  test("are one for all targets of a variant where no tag says the target", () => {
    const [rules, answerOf] = [rulesWith("{variant}"), createPreparedAnswers()];
    expect(ask(rules, answerOf, "a")).toBe(ask(rules, answerOf, "b"));
    expect(ask(rules, answerOf, "a")).toBe(ask(rules, answerOf, "a"));
  });

  test("are one for each target where a tag says it", () => {
    const [rules, answerOf] = [rulesWith("{target}"), createPreparedAnswers()];
    const [a, b] = [ask(rules, answerOf, "a"), ask(rules, answerOf, "b")];
    expect(a).not.toBe(b);
    expect(a.bytes.includes("x-serin-tag\u001a\u0001a")).toBe(true);
    expect(b.bytes.includes("x-serin-tag\u001a\u0001b")).toBe(true);
    expect(ask(rules, answerOf, "a")).toBe(a);
  });

  test("are one for each variant, whichever came first", () => {
    const [rules, answerOf] = [rulesWith("{variant}"), createPreparedAnswers()];
    const [other, canary, stable] = [ask(rules, answerOf, "c"), ask(rules, answerOf, "a"), ask(rules, answerOf, "none")];
    expect(new Set([other, canary, stable]).size).toBe(3);
    expect(other.bytes.includes("other")).toBe(true);
    expect(canary.bytes.includes("other")).toBe(false);
  });

  test("tell sessions apart", () => {
    const [rules, answerOf] = [rulesWith("{variant}"), createPreparedAnswers()];
    expect(ask(rules, answerOf, "a", true)).not.toBe(ask(rules, answerOf, "a"));
  });
});

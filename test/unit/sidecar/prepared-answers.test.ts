import { describe, expect, test } from "vitest";
import { compile } from "../../../src/core/decide/compile.ts";
import { decide, decideToggles } from "../../../src/core/decide/decide.ts";
import { createPreparedAnswers, type PreparedAnswers } from "../../../src/sidecar/prepared-answers.ts";
import { parseAlso } from "../../../src/sidecar/wire/also.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { PROCESSING_RESPONSE, referenceCodec } from "../../support/reference-codec.ts";

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
  const ask = (rules: ReturnType<typeof rulesWith>, answers: PreparedAnswers, want: string, isSession = false) =>
    answers.of(decide(rules, factsOf({ headers: [["x-want", want]] })), rules, isSession);

  test("are one for all targets of a variant where no tag says the target", () => {
    const [rules, answers] = [rulesWith("{variant}"), createPreparedAnswers()];
    expect(ask(rules, answers, "a")).toBe(ask(rules, answers, "b"));
    expect(ask(rules, answers, "a")).toBe(ask(rules, answers, "a"));
  });

  test("are one for each target where a tag says it", () => {
    const [rules, answers] = [rulesWith("{target}"), createPreparedAnswers()];
    const [a, b] = [ask(rules, answers, "a"), ask(rules, answers, "b")];
    expect(a).not.toBe(b);
    expect(a.bytes.includes("x-serin-tag\u001a\u0001a")).toBe(true);
    expect(b.bytes.includes("x-serin-tag\u001a\u0001b")).toBe(true);
    expect(ask(rules, answers, "a")).toBe(a);
  });

  test("are one for each variant, whichever came first", () => {
    const [rules, answers] = [rulesWith("{variant}"), createPreparedAnswers()];
    const [other, canary, stable] = [ask(rules, answers, "c"), ask(rules, answers, "a"), ask(rules, answers, "none")];
    expect(new Set([other, canary, stable]).size).toBe(3);
    expect(other.bytes.includes("other")).toBe(true);
    expect(canary.bytes.includes("other")).toBe(false);
  });

  test("tell sessions apart", () => {
    const [rules, answers] = [rulesWith("{variant}"), createPreparedAnswers()];
    expect(ask(rules, answers, "a", true)).not.toBe(ask(rules, answers, "a"));
  });
});

const codec = referenceCodec(PROCESSING_RESPONSE);
const tagsOnly = (header: string) => ({ stable: { tags: {} }, on: { tags: { [header]: "on" } } });
const variants = { stable: { cluster: "v1", tags: {} }, a: { cluster: "v2", tags: {} }, b: { cluster: "v3", tags: {} } };
const toggleRules = compile(
  ruleSetOf({
    checkout: ruleOf({ variants }, { shareBp: 5_000, shares: { b: 5_000 } }),
    banner: ruleOf({ variants: tagsOnly("x-serin-banner"), salt: "banner" }),
    search: ruleOf({ variants: tagsOnly("x-serin-search"), salt: "search" }, { run: 4 }),
  }),
);
const decided = (user: string) => {
  const request = factsOf({ headers: [["x-user-id", user]] });
  return { decision: decide(toggleRules, request), toggles: decideToggles(toggleRules, request), isSession: false };
};
const users = Array.from({ length: 200 }, (_, index) => `user-${index}`);

describe("answers that are made once", () => {
  test("tell the variants of one rollout apart", () => {
    const answers = createPreparedAnswers();
    const seen = new Map(users.map((user) => [decided(user).decision.variant, answers.of(decided(user).decision, toggleRules, false)]));
    expect([...seen.keys()].toSorted()).toEqual(["a", "b"]);
    expect(seen.get("a")?.bytes.equals(seen.get("b")?.bytes ?? Buffer.alloc(0))).toBe(false);
    for (const user of users.slice(0, 20)) {
      const { decision } = decided(user);
      expect(answers.of(decision, toggleRules, false)).toBe(seen.get(decision.variant));
    }
  });

  test.each([1_000, 1, 0])("with toggles carry the decisions and the tags of each, with %d of them kept", (kept) => {
    const answers = createPreparedAnswers(kept);
    for (const user of users) {
      const all = decided(user);
      const { requestHeaders, dynamicMetadata } = Object(codec.decode(answers.withToggles(all, toggleRules).bytes));
      const { also, bucket, variant } = dynamicMetadata.fields.serin.structValue.fields;
      expect([variant.stringValue, bucket.numberValue]).toEqual([all.decision.variant, all.decision.bucket]);
      expect(parseAlso(also.stringValue)).toEqual(
        all.toggles.map(({ rollout, variant: name, run, control, bucket: own }) => ({ rollout, variant: name, run, control, bucket: own })),
      );
      const set: { header: { key: string } }[] = requestHeaders.response.headerMutation.setHeaders ?? [];
      const expected = all.toggles.filter(({ variant: name }) => name === "on").map(({ rollout }) => `x-serin-${rollout}`);
      expect(set.map(({ header }) => header.key)).toEqual(expected);
    }
  });
});

import { describe, expect, test } from "vitest";
import { compile } from "../../../src/core/decide/compile.ts";
import { decide, decideToggles } from "../../../src/core/decide/decide.ts";
import { createPreparedAnswers } from "../../../src/sidecar/prepared-answers.ts";
import { parseAlso } from "../../../src/sidecar/wire/also.ts";
import { factsOf, ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { PROCESSING_RESPONSE, referenceCodec } from "../../support/reference-codec.ts";

const codec = referenceCodec(PROCESSING_RESPONSE);
const tagsOnly = (header: string) => ({ stable: { tags: {} }, on: { tags: { [header]: "on" } } });
const variants = { stable: { cluster: "v1", tags: {} }, a: { cluster: "v2", tags: {} }, b: { cluster: "v3", tags: {} } };
const rules = compile(
  ruleSetOf({
    checkout: ruleOf({ variants }, { shareBp: 5_000, shares: { b: 5_000 } }),
    banner: ruleOf({ variants: tagsOnly("x-serin-banner"), salt: "banner" }),
    search: ruleOf({ variants: tagsOnly("x-serin-search"), salt: "search" }, { run: 4 }),
  }),
);
const decided = (user: string) => {
  const request = factsOf({ headers: [["x-user-id", user]] });
  return { decision: decide(rules, request), toggles: decideToggles(rules, request), isSession: false };
};
const users = Array.from({ length: 200 }, (_, index) => `user-${index}`);

describe("answers that are made once", () => {
  test("tell the variants of one rollout apart", () => {
    const answers = createPreparedAnswers();
    const seen = new Map(users.map((user) => [decided(user).decision.variant, answers.of(decided(user).decision, rules, false)]));
    expect([...seen.keys()].toSorted()).toEqual(["a", "b"]);
    expect(seen.get("a")?.bytes.equals(seen.get("b")?.bytes ?? Buffer.alloc(0))).toBe(false);
    for (const user of users.slice(0, 20)) {
      const { decision } = decided(user);
      expect(answers.of(decision, rules, false)).toBe(seen.get(decision.variant));
    }
  });

  test.each([1_000, 1, 0])("with toggles carry the decisions and the tags of each, with %d of them kept", (kept) => {
    const answers = createPreparedAnswers(kept);
    for (const user of users) {
      const all = decided(user);
      const { requestHeaders, dynamicMetadata } = Object(codec.decode(answers.withToggles(all, rules)));
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

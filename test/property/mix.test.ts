import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { valuesIn } from "../../src/contract/mix.ts";
import type { RuleSet } from "../../src/contract/rules.ts";
import { compile } from "../../src/core/decide/compile.ts";
import { decide, decideToggles } from "../../src/core/decide/decide.ts";
import { factsOf } from "../support/decide-inputs.ts";
import { requests, ruleSets } from "./decide-arbitraries.ts";

/** The same rules, of which none asks for a mix. */
function withoutMix(set: RuleSet): RuleSet {
  const rollouts = Object.entries(set.rollouts).map(([name, { rules, live }]) => {
    const { mix: _asked, ...others } = rules;
    return [name, { rules: others, live }] as const;
  });
  return { ...set, rollouts: Object.fromEntries(rollouts) };
}

describe("asking for the mix of users", () => {
  test.prop([ruleSets, requests])("changes no decision", (set, request) => {
    const [asking, plain] = [compile(set), compile(withoutMix(set))];
    const facts = factsOf(request);
    expect([decide(asking, facts), decideToggles(asking, facts)]).toEqual([decide(plain, facts), decideToggles(plain, facts)]);
    expect(plain.mixed).toBe(0);
  });

  test.prop([ruleSets, requests, fc.string()])(
    "finds a value of each label in every request, and never one that nobody named",
    (set, request, any) => {
      const headers = [...request.headers, ["x-beta", any], ["cookie", `beta=${any}`], ["user-agent", any]] as const;
      const compiled = compile(set);
      for (const [name, { rules }] of Object.entries(set.rollouts)) {
        const mark = compiled.rollouts.get(name)?.statics.mix?.(factsOf({ ...request, headers })) ?? 0;
        const values = rules.mix === undefined ? [] : valuesIn(rules.mix);
        const found = values.filter(({ bit }) => (mark >>> bit) & 1);
        expect(new Set(found.map(({ label }) => label))).toEqual(new Set(Object.keys(rules.mix ?? {})));
        expect(found.reduce((bits, { bit }) => bits | (1 << bit), 0)).toBe(mark);
      }
    },
  );
});

import type { Target } from "../../../src/contract/rollout.ts";
import type { RuleSet } from "../../../src/contract/rules.ts";
import { hashKey } from "../../../src/core/decide/bucket.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";

const ROLLOUTS = 100;

/**
 * The rules that all servers obey: 100 rollouts, each for a host of its own, with two paths, two key sources, three targets and a tag.
 * Shares differ, and half of them are large, so that both variants answer a good part.
 */
export function benchRules(): RuleSet {
  const entries = Array.from({ length: ROLLOUTS }, (_, index) => {
    const name = `service-${index}`;
    const rules = {
      match: { hosts: [`${name}.example`], paths: [{ exact: "/healthy" }, { prefix: "/" }] },
      key: [{ header: "x-user-id" }, { cookie: "session" }],
      salt: name,
      variants: {
        stable: { cluster: "stable", tags: { "x-serin-variant": "stable" } },
        canary: { cluster: "canary", tags: { "x-serin-variant": "canary" } },
      },
      targets: targetsOf(name),
    };
    const live = { run: 1 + (index % 7), shareBp: index % 2 === 0 ? 5_000 : 100 * (1 + (index % 20)), off: index === ROLLOUTS - 1 };
    return [name, ruleOf(rules, live)] as const;
  });
  return ruleSetOf(Object.fromEntries(entries));
}

function targetsOf(salt: string): Target[] {
  const users = Array.from({ length: 20 }, (_, index) => hashKey(salt, `tester-${index}`));
  return [
    { name: "staff", when: { header: { name: "x-staff", exact: "yes" } }, variant: "canary" },
    { name: "old-app", when: { cookie: { name: "app", prefix: "v1" } }, variant: "stable" },
    { name: "testers", when: { userHashes: users }, variant: "canary" },
  ];
}

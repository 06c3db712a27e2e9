import { readFileSync } from "node:fs";
import type { LiveRule } from "../../src/contract/rules.ts";
import { type CompiledRules, compile } from "../../src/core/decide/compile.ts";
import { staticRulesOf } from "../../src/core/decide/rollout-rules.ts";
import { parseRollouts } from "../../src/io/documents.ts";
import { ruleOf, ruleSetOf } from "./decide-inputs.ts";

/** The rollouts of an example under docs/examples, as a rule set. */
function exampleRuleSet(name: string, live: Partial<LiveRule> = {}) {
  const text = readFileSync(new URL(`../../docs/examples/${name}`, import.meta.url), "utf8");
  const rollouts = parseRollouts(text, name).map((rollout) => [rollout.name, ruleOf(staticRulesOf(rollout), live)] as const);
  return ruleSetOf(Object.fromEntries(rollouts));
}

/** The same, compiled. */
export const exampleRules = (name: string, live: Partial<LiveRule> = {}, options: { unwatched?: boolean } = {}): CompiledRules =>
  compile(exampleRuleSet(name, live), options);

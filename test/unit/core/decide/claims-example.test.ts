import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compile } from "../../../../src/core/decide/compile.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { staticRulesOf } from "../../../../src/core/decide/rollout-rules.ts";
import { parseRollouts } from "../../../../src/io/documents.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

const text = readFileSync(new URL("../../../../docs/examples/claims.yaml", import.meta.url), "utf8");
const [rollout] = parseRollouts(text, "claims.yaml");
if (rollout === undefined) throw new Error("the example holds no rollout");
const rules = compile(ruleSetOf({ api: { rules: staticRulesOf(rollout), live: ruleOf({}, { shareBp: 10_000 }).live } }));

test.each<{ title: string; claims?: PlainRequest["claims"]; decided: string[] }>([
  { title: "a role of the list", claims: { sub: ["ann"], "realm_access.roles": ["dev", "staff"] }, decided: ["staff", "claim sub"] },
  { title: "a plan, by its subject", claims: { sub: ["ann"], plan: ["pro"] }, decided: ["share", "claim sub"] },
  { title: "another plan", claims: { sub: ["ann"], plan: ["free"] }, decided: ["not-free", "claim sub"] },
  { title: "an empty subject, which is no key", claims: { sub: [""], plan: ["team"] }, decided: ["share", "client address"] },
  { title: "no token", decided: ["not-free", "client address"] },
])("of the example, $title", ({ claims, decided }) => {
  const { reason, target, keySource } = decide(rules, factsOf({ host: "api.example", clientAddress: "192.0.2.1", claims }));
  expect([target ?? reason, keySource]).toEqual(decided);
});

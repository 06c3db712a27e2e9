import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import { stringify } from "yaml";
import { ConditionSchema } from "../../src/contract/conditions.ts";
import { lanesOf } from "../../src/contract/lanes.ts";
import { isTagOnly, type RolloutInput, RolloutSchema } from "../../src/contract/rollout.ts";
import type { StaticRules } from "../../src/contract/rules.ts";
import { parseRollouts } from "../../src/io/documents.ts";
import { rules } from "./decide-arbitraries.ts";

const percent = (bp: number): string => `${bp / 100}%`;

/** The rules as a person writes them. */
function documentOf({ match, key, salt, variants, targets, cohort, mirror, mix }: StaticRules, name: string): RolloutInput {
  const routes = !isTagOnly(variants);
  const says = cohort !== undefined && (cohort.send ? routes : cohort.obey !== undefined);
  const written = Object.entries(variants).map(([variant, { lane, ...rest }]) => [
    variant,
    lane === undefined ? rest : { ...rest, lane: percent(lane) },
  ]);
  // 100 % is no stage: promotion follows the last.
  const width = Math.min(9_999, [...lanesOf(variants).values()][0]?.widthBp ?? 0);
  return {
    apiVersion: "serin/v1",
    kind: "Rollout",
    name,
    match,
    key,
    salt: salt.slice(0, 200),
    variants: Object.fromEntries(written),
    targets: targets.map(({ when, ...rest }) => ({ ...rest, when: ConditionSchema.parse(when) })),
    strategy: { type: "canary", stages: [{ share: percent(Math.ceil(width / 2)), minTime: "90s" }, { share: percent(width) }] },
    ...(says && { cohort }),
    ...(mix !== undefined && { mix }),
    ...(mirror !== undefined && routes && { mirror: { cluster: mirror.cluster, share: percent(mirror.shareBp), methods: mirror.methods } }),
  };
}

const documents = fc.array(rules, { minLength: 1, maxLength: 3 }).map((all) => all.map((one, index) => documentOf(one, `r${index}`)));

test.prop([documents, fc.constantFrom("JSON", "blocks", "flow")])("what is printed is read as it was meant", (all, form) => {
  const print = (document: RolloutInput): string => {
    if (form === "JSON") return JSON.stringify(document);
    return stringify(document, form === "flow" ? { collectionStyle: "flow" } : {});
  };
  const read = parseRollouts(all.map(print).join("\n---\n"), "rollouts.yaml");
  expect(read).toEqual(all.map((document) => RolloutSchema.parse(document)));
});

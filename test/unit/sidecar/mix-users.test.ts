import { beforeEach, describe, expect, test } from "vitest";
import type { LiveRule, StaticRules } from "../../../src/contract/rules.ts";
import { type CompiledRules, compile } from "../../../src/core/decide/compile.ts";
import { decide } from "../../../src/core/decide/decide.ts";
import { keyHash } from "../../../src/core/judge/key-sketch.ts";
import { createMixUsers, type MixUsers } from "../../../src/sidecar/mix-users.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { COUNTRIES, markOf } from "../../support/mix-inputs.ts";

let mix: MixUsers;
let overflows: number;
const mixOf = (maxUsers?: number): MixUsers =>
  createMixUsers({ onOverflow: () => void (overflows += 1), ...(maxUsers !== undefined && { maxUsers }) });
beforeEach(() => {
  overflows = 0;
  mix = mixOf();
});

const target = (name: string, variant: string): StaticRules["targets"][number] => ({
  name,
  variant,
  when: { header: { name: `x-${name}`, present: true } },
});
const rulesOf = (live: Partial<LiveRule> = {}, rules: Partial<StaticRules> = {}, unwatched = false): CompiledRules =>
  compile(ruleSetOf({ cart: ruleOf({ mix: COUNTRIES, ...rules }, { run: 3, ...live }) }), { unwatched });

function ask(rules: CompiledRules, user: string | undefined, country = "SE", headers: PlainRequest["headers"] = []): number | undefined {
  const key: PlainRequest["headers"] = user === undefined ? [] : [["x-user-id", user]];
  const request = factsOf({ headers: [...key, ["x-country", country], ...headers] });
  const decision = decide(rules, request);
  mix.decided(decision, rules, request);
  return decision.bucket;
}
const groups = (rules: CompiledRules) =>
  [...mix.all(rules)].map(({ run, variant, by, target: name, sample }) => [
    [run, variant, by, ...(name === undefined ? [] : [name])].join(" "),
    sample().users.size,
  ]);
const USERS = Array.from({ length: 40 }, (_, index) => `user-${index}`);

describe("users are counted", () => {
  test("by how they came to their variant, each once", () => {
    const rules = rulesOf({ shareBp: 2_500 }, { targets: [target("staff", "canary"), target("partner", "stable")] });
    for (const user of [...USERS, ...USERS]) ask(rules, user);
    for (const header of ["x-staff", "x-partner"]) ask(rules, "ann", "DE", [[header, "1"]]);
    const found = new Map(groups(rules).map(([name, size]) => [String(name), Number(size)]));
    expect([...found.keys()].toSorted()).toEqual([
      "3 canary share",
      "3 canary target staff",
      "3 stable control",
      "3 stable share",
      "3 stable target partner",
    ]);
    expect([...found.values()].reduce((sum, size) => sum + size, 0)).toBe(USERS.length + 2);
  });

  test("by their hash, with the values that they bring", () => {
    const rules = rulesOf({ shareBp: 0 });
    const bucket = ask(rules, "ann", "SE");
    ask(rules, "ann", "DE");
    const [group] = mix.all(rules);
    expect([...(group?.sample().users ?? [])]).toEqual([[keyHash(bucket ?? -1), markOf("SE") | markOf("DE")]]);
  });

  test.each<{ title: string; rules: CompiledRules; user?: string }>([
    { title: "who have no key", rules: rulesOf() },
    { title: "while the rollout is off", rules: rulesOf({ off: true }), user: "ann" },
    { title: "while nobody watches", rules: rulesOf({}, {}, true), user: "ann" },
    { title: "of a rollout that asks for no mix", rules: compile(ruleSetOf({ cart: ruleOf() })), user: "ann" },
    { title: "of no rollout", rules: compile(ruleSetOf({})), user: "ann" },
  ])("not $title", ({ rules, user }) => {
    ask(rules, user);
    expect(groups(rules)).toEqual([]);
  });

  test("apart by the first sixteen targets, and together by those after", () => {
    const targets = Array.from({ length: 18 }, (_, index) => target(`t${index}`, "canary"));
    const rules = rulesOf({}, { targets });
    for (const { name } of targets) ask(rules, `of-${name}`, "SE", [[`x-${name}`, "1"]]);
    expect(groups(rules)).toEqual([...Array.from({ length: 16 }, (_, index) => [`3 canary target t${index}`, 1]), ["3 canary target", 2]]);
  });

  test("by a cohort of a hop before", () => {
    const rules = rulesOf({ shareBp: 0 }, { cohort: { send: false, obey: "edge" } });
    const request = factsOf({
      headers: [
        ["x-user-id", "ann"],
        ["baggage", "serin.edge=canary"],
      ],
      isTrustedPeer: true,
    });
    mix.decided(decide(rules, request), rules, request);
    expect(groups(rules)).toEqual([["3 canary cohort", 1]]);
  });
});

describe("what is counted", () => {
  test("begins anew with each run, and gives its room back", () => {
    mix = mixOf(50);
    for (let run = 1; run <= 20; run += 1) for (const user of USERS) ask(rulesOf({ run, shareBp: 0 }), user);
    expect([groups(rulesOf({ run: 20 })), overflows]).toEqual([[["20 stable share", 40]], 0]);
  });

  test("goes when its rollout or its run is in force no more", () => {
    const rules = rulesOf({ shareBp: 0 });
    ask(rules, "ann");
    expect(groups(compile(ruleSetOf({})))).toEqual([]);
    ask(rules, "ann");
    expect(groups(rulesOf({ run: 4 }))).toEqual([]);
    expect(groups(rules)).toEqual([]);
  });

  test("changes its version when a user or a value comes, and not otherwise", () => {
    const rules = rulesOf({ shareBp: 0 });
    const version = () => [...mix.all(rules)][0]?.version;
    const seen = [
      () => ask(rules, "ann"),
      () => ask(rules, "ann"),
      () => ask(rules, "bob"),
      () => ask(rules, "ann", "DE"),
      () => ask(rules, "ann"),
    ].map((step) => {
      step();
      return version();
    });
    expect(seen.map((each, index) => each !== seen[index - 1])).toEqual([true, false, true, true, false]);
  });

  test("stays below the limit of the sidecar, and says whom there was no room for", () => {
    mix = mixOf(20);
    for (const user of USERS) ask(rulesOf({ shareBp: 0 }), user);
    expect([groups(rulesOf({ shareBp: 0 })), overflows]).toEqual([[["3 stable share", 20]], 20]);
  });
});

import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { PathMatch } from "../../src/contract/conditions.ts";
import { isTagOnly } from "../../src/contract/rollout.ts";
import { type CompiledRules, compile } from "../../src/core/decide/compile.ts";
import { decideToggles, governing } from "../../src/core/decide/decide.ts";
import { bySpecificity, hostMatches, hostName, pathMatches, pathOnly } from "../../src/core/decide/match.ts";
import { takesFrom } from "../../src/core/decide/overlap.ts";
import { NOBODY, type RequestFacts } from "../../src/core/decide/types.ts";
import { factsOf, ruleOf, ruleSetOf } from "../support/decide-inputs.ts";
import { manyPaths, requests, ruleSets } from "./decide-arbitraries.ts";

describe("the index", () => {
  interface Match {
    readonly name: string;
    readonly pattern: string;
    readonly wanted: PathMatch;
    readonly narrowness: number;
    readonly setsTagsOnly: boolean;
  }
  /** Each way in which a rollout matches. */
  const scan = (rules: CompiledRules, request: RequestFacts): Match[] => {
    const [host, path] = [hostName(request.host), pathOnly(request.path)];
    return [...rules.rollouts.values()].flatMap(({ name, statics, variants }) =>
      statics.hosts
        .filter((pattern) => hostMatches(pattern, host) && (statics.narrower?.(request, NOBODY) ?? true))
        .flatMap((pattern) =>
          statics.paths
            .filter((wanted) => pathMatches(wanted, path))
            .map((wanted) => ({ name, pattern, wanted, narrowness: statics.narrowness, setsTagsOnly: isTagOnly(variants) })),
        ),
    );
  };
  /** The most specific of those that route: what `governing` finds by its index. */
  const byScan = (rules: CompiledRules, request: RequestFacts): string | undefined => {
    const rank = (pattern: string): number => (pattern === "*" ? 0 : pattern.startsWith("*.") ? pattern.length : 1_000);
    return scan(rules, request)
      .filter(({ setsTagsOnly }) => !setsTagsOnly)
      .toSorted(
        (a, b) =>
          rank(b.pattern) - rank(a.pattern) ||
          bySpecificity(a.wanted, b.wanted) ||
          b.narrowness - a.narrowness ||
          (a.name < b.name ? -1 : 1),
      )[0]?.name;
  };

  test.prop([ruleSets, requests])("finds the rollout that a scan of all finds", (ruleSet, request) => {
    const rules = compile(ruleSet);
    expect(governing(rules, factsOf(request))?.name).toBe(byScan(rules, factsOf(request)));
  });

  // More routes of one host than are walked through one by one.
  const paths = fc.array(manyPaths, { minLength: 9, maxLength: 30 });
  const sentPath = fc.tuple(
    fc.constantFrom("/a", "/a/", "/a/b", "/a/b/c", "/ab", "/", "*"),
    fc.constantFrom("", "?x=1", "#/a/b", "?/a/b", "/d"),
  );
  test.prop([paths, fc.boolean(), sentPath])("finds that also among many paths", (some, setsTagsOnly, [path, rest]) => {
    const variants = setsTagsOnly ? { stable: { tags: {} }, on: { tags: { "x-serin-on": "1" } } } : ruleOf().rules.variants;
    const rollouts = some.map((wanted, index) => [`r${index}`, ruleOf({ variants, match: { hosts: ["shop.example"], paths: [wanted] } })]);
    const [rules, request] = [compile(ruleSetOf(Object.fromEntries(rollouts))), factsOf({ path: path + rest })];
    expect(governing(rules, request)?.name).toBe(byScan(rules, request));
    const toggles = scan(rules, request).flatMap((match) => (match.setsTagsOnly ? [match.name] : []));
    expect(decideToggles(rules, request).map(({ rollout }) => rollout)).toEqual(toggles.toSorted());
  });

  test.prop([ruleSets, requests])("finds each toggle that a scan of all finds, once, in the order of names", (ruleSet, request) => {
    const rules = compile(ruleSet);
    const expected = scan(rules, factsOf(request)).flatMap(({ name, setsTagsOnly }) => (setsTagsOnly ? [name] : []));
    expect(decideToggles(rules, factsOf(request)).map(({ rollout }) => rollout)).toEqual([...new Set(expected)].toSorted());
  });

  test.prop([ruleSets, requests])("and that rollout is known to take from every other that the request meets", (ruleSet, request) => {
    const rules = compile(ruleSet);
    const first = governing(rules, factsOf(request))?.name;
    fc.pre(first !== undefined);
    const own = ruleSet.rollouts[first]?.rules.match;
    for (const [name, entry] of Object.entries(ruleSet.rollouts)) {
      if (isTagOnly(entry.rules.variants)) continue;
      const isMet = governing(compile({ ...ruleSet, rollouts: { [name]: entry } }), factsOf(request)) !== undefined;
      if (name !== first && isMet && own !== undefined) expect(takesFrom(own, entry.rules.match)).toBe(true);
    }
  });
});

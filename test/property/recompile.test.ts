import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { RuleSet } from "../../src/contract/rules.ts";
import { type CompiledRules, compile, NO_RULES, type RulesChange, recompile, withUnwatched } from "../../src/core/decide/compile.ts";
import { decide } from "../../src/core/decide/decide.ts";
import type { HostIndex } from "../../src/core/decide/host-index.ts";
import type { HostRoutes } from "../../src/core/decide/routes.ts";
import { compileSegments } from "../../src/core/decide/segments.ts";
import { compileStatics, createSharedParts } from "../../src/core/decide/statics.ts";
import { factsOf } from "../support/decide-inputs.ts";
import { requests, ruleSets } from "./decide-arbitraries.ts";

/** What there is to compare of compiled rules: functions of two compilations are never equal. */
function shapeOf({ rollouts, routing, toggles, headers, headerReaders, segments, ...rest }: CompiledRules): object {
  const routes = ({ all, byPath }: HostRoutes): unknown => [byPath !== undefined, all.map(({ path, rollout }) => [path, rollout.name])];
  const shape = ({ byHost, anyHost, suffixHosts }: HostIndex): unknown => ({
    byHost: new Map([...byHost].map(([host, there]) => [host, routes(there)])),
    anyHost: routes(anyHost),
    suffixHosts,
  });
  return {
    ...rest,
    rollouts: new Map([...rollouts].map(([name, rollout]) => [name, JSON.parse(JSON.stringify(rollout))])),
    segments: new Map([...segments].map(([name, { meets, ...segment }]) => [name, { ...segment, asks: meets !== undefined }])),
    routing: shape(routing),
    toggles: shape(toggles),
    headers,
    headerReaders: new Map(headerReaders),
  };
}

/** What differs between two rule sets, told as a source tells it: by the static rules that it holds compiled already. */
function changeBetween(before: RuleSet, after: RuleSet, inForce: CompiledRules): RulesChange {
  const shared = createSharedParts();
  const entries = Object.entries(after.rollouts).flatMap(([name, { rules, live }]) => {
    const same = Object.hasOwn(before.rollouts, name) && JSON.stringify(before.rollouts[name]?.rules) === JSON.stringify(rules);
    const statics = same ? inForce.rollouts.get(name)?.statics : undefined;
    const isUnchanged = statics !== undefined && JSON.stringify(before.rollouts[name]?.live) === JSON.stringify(live);
    // Every other rollout that did not change is named all the same.
    if (isUnchanged && name < "c") return [];
    return [[name, { statics: statics ?? compileStatics(rules, shared), live }] as const];
  });
  const removed = Object.keys(before.rollouts).filter((name) => !Object.hasOwn(after.rollouts, name));
  return {
    epoch: after.epoch,
    revision: after.revision,
    changed: new Map(entries),
    removed,
    segments: compileSegments(after.segments ?? {}),
  };
}

const EMPTY: RuleSet = { format: 1, epoch: 0, revision: 0, rollouts: {} };
const step = fc.record({ ruleSet: ruleSets, unwatched: fc.boolean(), keep: fc.subarray(["a", "b", "c", "d", "e"]) });

/** The rule sets of a sequence of changes, in which some rollouts stay as they were. */
function sequence(steps: readonly { ruleSet: RuleSet; keep: readonly string[] }[]): RuleSet[] {
  let last = EMPTY;
  return steps.map(({ ruleSet, keep }) => {
    const kept = Object.entries(last.rollouts).filter(([name]) => keep.includes(name));
    last = { ...ruleSet, rollouts: { ...ruleSet.rollouts, ...Object.fromEntries(kept) } };
    return last;
  });
}

describe("rules that were compiled change by change", () => {
  test.prop([fc.array(step, { minLength: 1, maxLength: 8 })])("are those of a compilation of the whole", (steps) => {
    let inForce = NO_RULES;
    let before = EMPTY;
    for (const [index, after] of sequence(steps).entries()) {
      const unwatched = steps[index]?.unwatched ?? false;
      inForce = recompile(withUnwatched(inForce, unwatched), changeBetween(before, after, inForce));
      expect(shapeOf(inForce)).toEqual(shapeOf(compile(after, { unwatched })));
      before = after;
    }
  });

  test.prop([fc.array(step, { minLength: 2, maxLength: 5 }), requests])("decide as those do", (steps, request) => {
    let inForce = NO_RULES;
    let before = EMPTY;
    for (const after of sequence(steps)) {
      inForce = recompile(inForce, changeBetween(before, after, inForce));
      before = after;
    }
    expect(decide(inForce, factsOf(request))).toEqual(decide(compile(before), factsOf(request)));
  });

  test.prop([fc.array(step, { minLength: 2, maxLength: 5 })])("keep every rollout that did not change as the same object", (steps) => {
    const [first, ...rest] = sequence(steps);
    let before = first ?? EMPTY;
    let inForce = compile(before);
    for (const after of rest) {
      const next = recompile(inForce, changeBetween(before, after, inForce));
      const isSame = (name: string): boolean => JSON.stringify(before.rollouts[name]) === JSON.stringify(after.rollouts[name]);
      const unchanged = Object.keys(after.rollouts).filter((name) => Object.hasOwn(before.rollouts, name) && isSame(name));
      for (const name of unchanged) expect(next.rollouts.get(name)).toBe(inForce.rollouts.get(name));
      for (const { byHost, anyHost } of [next.routing, next.toggles])
        for (const { rollout } of [...byHost.values(), anyHost].flatMap(({ all }) => all))
          expect(rollout).toBe(next.rollouts.get(rollout.name));
      inForce = next;
      before = after;
    }
  });

  test.prop([ruleSets])("come back from unwatched as they were", (ruleSet) => {
    const rules = compile(ruleSet);
    expect(shapeOf(withUnwatched(withUnwatched(rules, true), false))).toEqual(shapeOf(rules));
    expect(withUnwatched(rules, false)).toBe(rules);
  });
});

test.prop([ruleSets, ruleSets])("the set of headers is the same object as long as its names are the same", (a, b) => {
  const before = compile(a);
  const after = recompile(before, changeBetween(a, b, before));
  const isSame = before.headers.size === after.headers.size && [...before.headers].every((name) => after.headers.has(name));
  expect(after.headers === before.headers).toBe(isSame);
});

import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { PathMatch } from "../../src/contract/conditions.ts";
import { compile } from "../../src/core/decide/compile.ts";
import { addRoutes, type CompiledRoute, firstRoute, type HostRoutes } from "../../src/core/decide/routes.ts";
import { factsOf, ruleOf, ruleSetOf } from "../support/decide-inputs.ts";

const segment = fc.constantFrom("a", "b", "ab", "");
const path = fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join("/")}`);
const behind = fc.constantFrom("", "?", "?x=1", "?x=/a/b", "#", "#/a?b", "/?a");
const asked = fc.oneof(
  fc.tuple(path, behind).map((texts) => texts.join("")),
  fc.constantFrom("*", "", "a/b"),
);
const pathMatch: fc.Arbitrary<PathMatch> = fc.oneof(
  fc.record({ prefix: path }),
  fc.record({ exact: path }),
  fc.record({ template: fc.constantFrom("/{x}", "/a/{x}", "/{x}/b") }),
);

describe("the table of many routes", () => {
  test.prop([fc.array(pathMatch, { minLength: 9, maxLength: 20 }), asked])("finds what a walk through all of them finds", (paths, at) => {
    const match = { hosts: ["*"], paths };
    const indexed = compile(ruleSetOf({ only: ruleOf({ match }) })).routing.anyHost;
    const walked: HostRoutes = { all: indexed.all, byPath: undefined };
    const request = factsOf({ path: at });
    const allOf = (routes: HostRoutes): readonly CompiledRoute[] => {
      const found: CompiledRoute[] = [];
      addRoutes(routes, request, found);
      return found;
    };
    expect(indexed.byPath).toBeDefined();
    expect(firstRoute(indexed, request)).toBe(firstRoute(walked, request));
    expect(new Set(allOf(indexed))).toEqual(new Set(allOf(walked)));
  });
});

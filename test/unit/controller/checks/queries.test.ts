import { expect, test } from "vitest";
import { queriesOf } from "../../../../src/controller/checks/queries.ts";
import { rolloutOf } from "../builders.ts";

const asked = { rollout: rolloutOf("cart"), run: 7, grown: "canary" };

test("a query is asked for stable and for each variant beside it, with its facts filled in and PromQL's own braces left alone", () => {
  const variants = { stable: { cluster: "v1" }, canary: { cluster: "v2" }, blue: { cluster: "v3" } };
  const rollout = rolloutOf("cart", { variants });
  expect(queriesOf('sum by (pod) (x{variant="{variant}", rollout="{rollout}", run="{run}"})', { ...asked, rollout })).toEqual({
    stable: ['sum by (pod) (x{variant="stable", rollout="cart", run="7"})'],
    canary: ['sum by (pod) (x{variant="canary", rollout="cart", run="7"})', 'sum by (pod) (x{variant="blue", rollout="cart", run="7"})'],
  });
});

test("a query each for both sides is asked as it is", () => {
  expect(queriesOf({ stable: "a{}", canary: 'b{v="{variant}"}' }, asked)).toEqual({ stable: ["a{}"], canary: ['b{v="canary"}'] });
});

test("the variant that won a test is asked about where one query stands for all of them", () => {
  const variants = { stable: { cluster: "v1" }, canary: { cluster: "v2" }, blue: { cluster: "v3" } };
  const query = { stable: "a{}", canary: 'b{v="{variant}", c="{cluster}"}' };
  expect(queriesOf(query, { rollout: rolloutOf("cart", { variants }), run: 7, grown: "blue" }).canary).toEqual(['b{v="blue", c="v3"}']);
});

test("a cluster's name cannot end the text in which it stands", () => {
  const rollout = rolloutOf("cart", { variants: { stable: { cluster: 'v1"} or up{a="' }, canary: { cluster: "v\\2" } } });
  expect(queriesOf('x{c="{cluster}"}', { ...asked, rollout })).toEqual({
    stable: ['x{c="v1\\"} or up{a=\\""}'],
    canary: ['x{c="v\\\\2"}'],
  });
});

test("a rollout that names no clusters has an empty one", () => {
  const variants = { stable: { tags: { "x-serin-a": "1" } }, canary: { tags: { "x-serin-a": "2" } } };
  expect(queriesOf("x{c='{cluster}'}", { ...asked, rollout: rolloutOf("cart", { variants }) }).stable).toEqual(["x{c=''}"]);
});

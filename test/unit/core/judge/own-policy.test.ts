import { describe, expect, test } from "vitest";
import { gaugesIn, ownChecksOf } from "../../../../src/core/judge/own-policy.ts";
import { rolloutOf } from "../../controller/builders.ts";

const query = 'x{variant="{variant}"}';
const { checks } = rolloutOf("cart", {
  checks: {
    saturation: { prometheus: query, maxIncrease: "5%" },
    own: [
      { name: "conversions", prometheus: { hits: query, all: query }, harm: "lower", tolerated: "20%" },
      { name: "refunds", prometheus: { hits: query, all: query }, harm: "higher", weight: 30 },
      { name: "cpu", gauge: { prometheus: query }, harm: "higher" },
      { name: "smoke", webhook: { url: "https://smoke.example/check" } },
      { name: "complaints", feedback: { kind: "complaint" }, harm: "higher" },
    ],
  },
});

describe("of a rollout's own checks", () => {
  test("those that count are bet on: counters as critical ones, feedback as advice, where nothing else is said", () => {
    expect(ownChecksOf(checks)).toEqual([
      { name: "conversions", harm: "lower", tolerated: 0.2, weight: "critical" },
      { name: "refunds", harm: "higher", tolerated: 0.1, weight: 30 },
      { name: "complaints", harm: "higher", tolerated: 0.1, weight: "advisory" },
    ]);
  });

  test("levels are gauges, saturation among them", () => {
    expect(gaugesIn(checks)).toEqual([
      { name: "cpu", source: { prometheus: query }, policy: { harm: "higher", tolerated: { relative: 0.1 } } },
      { name: "saturation", source: { prometheus: query }, policy: { harm: "higher", tolerated: { absolute: 0.05 } } },
    ]);
  });

  test("none are none", () => {
    const none = rolloutOf("cart").checks;
    expect([ownChecksOf(none), gaugesIn(none)]).toEqual([[], []]);
  });
});

import { describe, expect, test } from "vitest";
import type { RuleSet } from "../../../../src/contract/rules.ts";
import { compile, withStopped } from "../../../../src/core/decide/compile.ts";
import { explain, explanationHeader } from "../../../../src/core/decide/explain.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

const user: PlainRequest = { headers: [["x-user-id", "user-1"]] };

describe("of many rollouts", () => {
  const many = (count: number, host: (index: number) => string) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `r${String(index).padStart(3, "0")}`,
        ruleOf({ match: { hosts: [host(index)], paths: [{ exact: `/${index}` }] } }),
      ]),
    );
  const told = (rollouts: RuleSet["rollouts"], path: string) =>
    explain(compile(ruleSetOf(rollouts)), factsOf({ host: "a.shop.example", path })).steps.map(({ step, rollout, text }) => [
      step,
      rollout ?? text,
    ]);

  test("only those of the host are told, below one and for all too, and the others counted", () => {
    const hosts = ["a.shop.example", "*.shop.example", "*.example", "*"];
    const rollouts = many(100, (index) => hosts[index] ?? `h${index}.example.org`);
    expect(told(rollouts, "/1").slice(0, 5)).toEqual([
      ["path", "r000"],
      ["rollout", "r001"],
      ["path", "r002"],
      ["path", "r003"],
      ["others", "96 more rollouts, none of them for a.shop.example"],
    ]);
  });

  test("no more than twenty of the host, and always the one that governs", () => {
    const steps = told(
      many(30, () => "*"),
      "/29",
    );
    expect(steps[19]).toEqual(["rollout", "r029"]);
    expect(steps[20]).toEqual([
      "others",
      "10 more rollouts, of them 10 for a.shop.example, which it outranks or which ask for something else",
    ]);
    expect(
      told(
        many(30, () => "*"),
        "/30",
      ).filter(([step]) => step === "path"),
    ).toHaveLength(20);
  });
});

test("of several variants, the lane of the bucket is told, and what lies in none", () => {
  const variants = {
    stable: { cluster: "s", tags: {} },
    a: { cluster: "a", tags: {}, lane: 4_000 },
    b: { cluster: "b", tags: {}, lane: 3_000 },
  };
  const rules = compile(ruleSetOf({ ranking: ruleOf({ salt: "ranking", variants }, { shareBp: 1_000, shares: { b: 2_000 } }) }));
  const shareOf = (key: string) =>
    explain(rules, factsOf({ headers: [["x-user-id", key]] }))
      .steps.filter(({ step }) => step === "rollout" || step === "share")
      .map(({ text }) => text.replace(/bucket \d+/, "the bucket"));
  const governs = "governs the request with a share of 10 %, 20 % of b, run 1";
  expect(shareOf("user-8")).toEqual([governs, "the bucket is in the lane of b, below the threshold 2576980377"]);
  expect(shareOf("user-174")).toEqual([
    governs,
    "the bucket is in the lane of a, not below the threshold 429496729, and in the control slice",
  ]);
  expect(shareOf("user-24")).toEqual([governs, "the bucket is in nobody's lane"]);
});

describe("of toggles", () => {
  const variants = { stable: { tags: {} }, on: { tags: { "x-serin-on": "{rollout}" } } };
  const toggles = (count: number, shareBp: number) =>
    compile(
      ruleSetOf({
        ...Object.fromEntries(
          Array.from({ length: count }, (_, index) => [`t${index}`, ruleOf({ salt: `t${index}`, variants }, { shareBp })]),
        ),
        checkout: ruleOf(),
      }),
    );

  test("one that this sidecar stopped by itself is off, as is one that routes, and says why", () => {
    const rules = toggles(1, 10_000);
    for (const name of ["t0", "checkout"]) {
      const explained = explain(withStopped(rules, name), factsOf(user));
      expect(explained.steps.filter(({ rollout, step }) => rollout === name && step === "off").map(({ text }) => text)).toEqual([
        "this sidecar saw the canary fail and stopped it by itself: everyone to stable",
      ]);
    }
  });

  test("each that matches is told with its own steps, before the one that governs", () => {
    const explained = explain(toggles(2, 10_000), factsOf(user));
    expect(explained.toggles.map(({ rollout, variant }) => [rollout, variant])).toEqual([
      ["t0", "on"],
      ["t1", "on"],
    ]);
    const steps = explained.steps.filter(({ step }) => ["rollout", "tags", "result"].includes(step));
    expect(steps.map(({ step, rollout, text }) => [step, rollout, text.split(",")[0]])).toEqual([
      ["rollout", "checkout", "governs the request with a share of 50 %"],
      ["rollout", "t0", "sets its tags with a share of 100 %"],
      ["rollout", "t1", "sets its tags with a share of 100 %"],
      ["tags", "t0", "the upstream is told x-serin-on: t0"],
      ["result", "t0", "on"],
      ["tags", "t1", "the upstream is told x-serin-on: t1"],
      ["result", "t1", "on"],
      ["result", undefined, explained.decision.variant],
    ]);
  });

  test("those on another host are told as no part of the request's", () => {
    const rules = compile(ruleSetOf({ banner: ruleOf({ match: { hosts: ["other.example"], paths: [{ prefix: "/" }] }, variants }) }));
    expect(explain(rules, factsOf(user)).steps[0]?.text).toBe("host shop.example is none of other.example");
  });

  test("so many that they fill the header leave the last steps their room", () => {
    const header = JSON.parse(explanationHeader(explain(toggles(40, 0), factsOf(user)), 6_144));
    expect([header.toggles, header.steps[0].step, header.steps.at(-1).step]).toEqual([[], "cut", "result"]);
    expect(JSON.parse(explanationHeader(explain(toggles(2, 0), factsOf(user)), 6_144)).toggles).toHaveLength(2);
  });
});

describe("an explanation as a header", () => {
  const explanation = (targets: number) => {
    const names = Array.from({ length: targets }, (_, index) => `t${index}`);
    const rules = { targets: names.map((name) => ({ name, when: { query: { name: "ü😀", exact: "\u007f" } }, variant: "canary" })) };
    return explain(compile(ruleSetOf({ checkout: ruleOf(rules) })), factsOf(user));
  };

  test("is the same JSON, in ASCII", () => {
    const text = explanationHeader(explanation(1), 6_000);
    expect(text).toMatch(/^[ -~]+$/);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(explanation(1))));
  });

  test("leaves the first steps out where it would be too long, and says so", () => {
    const all = JSON.parse(JSON.stringify(explanation(200)));
    const text = explanationHeader(explanation(200), 6_000);
    expect(text.length).toBeLessThanOrEqual(6_000);
    expect(text.length).toBeGreaterThan(5_700);
    const { steps, decision } = JSON.parse(text);
    expect(decision).toEqual(all.decision);
    const kept = steps.length - 1;
    expect(steps).toEqual([
      { step: "cut", text: `${all.steps.length - kept} steps are left out: \`serin explain\` tells them all` },
      ...all.steps.slice(-kept),
    ]);
  });
});

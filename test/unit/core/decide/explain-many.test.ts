import { describe, expect, test } from "vitest";
import type { RuleSet } from "../../../../src/contract/rules.ts";
import { compile } from "../../../../src/core/decide/compile.ts";
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

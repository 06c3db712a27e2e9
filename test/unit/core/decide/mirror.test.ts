import { describe, expect, test } from "vitest";
import type { LiveRule } from "../../../../src/contract/rules.ts";
import { bucketOf, murmur3Text, seedOf, thresholdOf } from "../../../../src/core/decide/bucket.ts";
import { decide } from "../../../../src/core/decide/decide.ts";
import { explain } from "../../../../src/core/decide/explain.ts";
import { compileMirror } from "../../../../src/core/decide/mirror.ts";
import { factsOf, type PlainRequest } from "../../../support/decide-inputs.ts";
import { exampleRules } from "../../../support/hop-rules.ts";

const USERS = Array.from({ length: 20_000 }, (_, index) => `user-${index}`);
const seed = compileMirror({ cluster: "shadow", shareBp: 1_000, methods: ["GET"] }, seedOf("catalogue")).seed;
const isCopied = (user: string): boolean => murmur3Text(user, seed) < thresholdOf(1_000);
const [copied = "", ...others] = [...USERS].sort((a, b) => Number(isCopied(b)) - Number(isCopied(a)));
const other = String(others.at(-1));

const request = (user: string, change: PlainRequest = {}): PlainRequest => ({
  host: "catalogue.example",
  headers: [["x-user-id", user]],
  ...change,
});

describe("of the example, a request", () => {
  test.each([
    {
      title: "of a user of the share is copied",
      request: request(copied),
      says: "in the share of 10 % that is copied: cluster shadow gets a copy",
    },
    {
      title: "by HEAD is copied",
      request: request(copied, { method: "HEAD" }),
      says: "in the share of 10 % that is copied: cluster shadow gets a copy",
    },
    { title: "of another user is not", request: request(other), says: "not in the share of 10 % that is copied" },
    { title: "by POST is not", request: request(copied, { method: "POST" }), says: "no copy: method POST is none of GET, HEAD" },
    {
      title: "by a safe method that is not named is not",
      request: request(copied, { method: "OPTIONS" }),
      says: "no copy: method OPTIONS is none of GET, HEAD",
    },
    {
      title: "without a key is not",
      request: request(copied, { headers: [] }),
      says: "no copy: without a bucketing key there is no share",
    },
    {
      title: "for a session is not",
      request: request(copied, {
        headers: [
          ["x-user-id", copied],
          ["upgrade", "websocket"],
        ],
      }),
      says: "no copy: the request asks for a session",
    },
  ])("$title, and explain says so", ({ request: asked, says }) => {
    const { mirror } = decide(exampleRules("mirror.yaml"), factsOf(asked));
    expect(mirror).toBe(says.endsWith("gets a copy") ? "shadow" : undefined);
    const { steps } = explain(exampleRules("mirror.yaml"), factsOf(asked));
    expect(steps.filter(({ step }) => step === "mirror").map(({ text }) => text)).toEqual([says]);
  });

  test("of a rollout that is off is not copied", () => {
    expect(decide(exampleRules("mirror.yaml", { off: true }), factsOf(request(copied))).mirror).toBeUndefined();
    const { steps } = explain(exampleRules("mirror.yaml", { off: true }), factsOf(request(copied)));
    expect(steps.filter(({ step }) => step === "mirror")).toEqual([]);
  });

  test("is copied and answered by stable while a shadow alone gets the new version", () => {
    const { decision, steps } = explain(exampleRules("mirror.yaml", { copies: "only" }), factsOf(request(copied)));
    expect(decision).toMatchObject({ variant: "stable", reason: "share", mirror: "shadow" });
    expect(steps.map(({ text }) => text)).toContain("a shadow alone gets the new version, targets and cohorts wait: everyone to stable");
  });

  test("is not copied any more when the shadow had its time", () => {
    const rules = exampleRules("mirror.yaml", { copies: "none" });
    expect(decide(rules, factsOf(request(copied))).mirror).toBeUndefined();
    const { steps } = explain(rules, factsOf(request(copied)));
    expect(steps.filter(({ step }) => step === "mirror").map(({ text }) => text)).toEqual(["no copy: the shadow had its time"]);
  });

  test("is copied for about so many users as the share says", () => {
    expect(USERS.filter(isCopied).length / USERS.length).toBeCloseTo(0.1, 1.7);
  });
});

test("whose requests are copied says nothing about who is on the canary", () => {
  const half = thresholdOf(5_000);
  const onCanary = USERS.filter((user) => bucketOf("catalogue", user) < half);
  const both = onCanary.filter((user) => murmur3Text(user, seed) < half).length;
  // A quarter of all, give or take five standard deviations (binomial).
  expect(Math.abs(both - USERS.length / 4)).toBeLessThan(5 * Math.sqrt(USERS.length * 0.25 * 0.75));
});

test("targets and cohorts lead nobody to a new version that a shadow alone gets", () => {
  const live = { copies: "only" } as const;
  const variantOf = (example: string, facts: PlainRequest, change: Partial<LiveRule>): string =>
    decide(exampleRules(example, change), factsOf(facts)).variant;
  const tester: PlainRequest = { host: "pay.example", headers: [["x-tester", "yes"]] };
  expect([variantOf("blue-green.yaml", tester, {}), variantOf("blue-green.yaml", tester, live)]).toEqual(["canary", "stable"]);
});

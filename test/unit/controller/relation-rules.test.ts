import { describe, expect, test } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { judgeApply } from "../../../src/controller/apply-rules.ts";
import type { Governed } from "../../../src/controller/derive-manifest.ts";
import { withDefaults } from "../../../src/controller/relation-rules.ts";
import { documentOf, liveOf, planState, rolloutOf } from "./builders.ts";

const standing = (name: string, phase: Parameters<typeof planState>[0], change: Partial<RolloutInput> = {}): Governed => ({
  rollout: rolloutOf(name, change),
  live: liveOf(name, planState(phase)),
});
const known = { segments: [], calendars: ["office"] };
const judged = (change: Partial<RolloutInput>, ...all: readonly Governed[]) => judgeApply(documentOf("cart", change), "cart", all, known);
const refused = (message: string) => ({ type: "refused", message });

describe("an apply of a rollout that comes after others", () => {
  test("names one that nobody knows, and those that there are", () => {
    expect(judged({ after: ["db"] }, standing("shop", "stage"), standing("mail", "rolledBack"))).toEqual(
      refused("after.0: no rollout is named db, known are mail, shop; apply it first, or in the same command"),
    );
  });

  test("shows the way of a circle", () => {
    const all = [
      standing("db", "stage", { after: ["shop", "mail"] }),
      standing("shop", "stage", { after: ["cart"] }),
      standing("mail", "stage"),
    ];
    expect(judged({ after: ["mail", "db"] }, ...all)).toEqual(
      refused("after: cart → db → shop → cart wait for each other in a circle; take one of them out"),
    );
  });

  test("may meet another by two ways", () => {
    const all = [standing("a", "stage", { after: ["c"] }), standing("b", "stage", { after: ["c"] }), standing("c", "stage")];
    expect(judged({ after: ["a", "b"] }, ...all).type).toBe("start");
  });
});

describe("an apply of a rollout with a calendar", () => {
  test("by a name that the policy has starts", () => {
    expect(judged({ calendar: "office" }).type).toBe("start");
  });

  test("by another name says which there are", () => {
    expect(judged({ calendar: "offices" })).toEqual(
      refused("calendar: there is no calendar offices, the policy has office; apply a policy with it first, or in the same command"),
    );
  });
});

describe("an apply of a member of a group", () => {
  const together = { together: "shop" };
  const stages = (count: number): RolloutInput["strategy"] => ({
    type: "canary",
    stages: Array.from({ length: count }, (_, index) => ({ share: `${index + 1}%` })),
  });

  test("with as many steps starts", () => {
    expect(judged({ ...together, strategy: stages(2) }, standing("pay", "stage", { ...together, strategy: stages(2) })).type).toBe("start");
  });

  test.each([
    [stages(1), "1 stage and pay 2 stages"],
    [{ type: "canary", ramp: "auto" } as const, "a ramp and pay 2 stages"],
  ])("with others is refused: %j", (strategy, said) => {
    expect(judged({ ...together, strategy }, standing("pay", "stage", { ...together, strategy: stages(2) }))).toEqual(
      refused(`together: cart has ${said}; give all of group shop as many steps`),
    );
  });

  test("does not look at members that have ended", () => {
    expect(judged({ ...together, strategy: stages(1) }, standing("pay", "handedOver", { ...together, strategy: stages(2) })).type).toBe(
      "start",
    );
  });
});

describe("an apply of a new version", () => {
  test.each([
    ["queue", "stage", false, "cart: the new version waits until the one that is stage has ended"],
    ["replace", "stage", true, "cart: the new version waits until the one that is stage is back"],
    ["replace", "promoted", false, "cart: the new version waits until the one that is promoted is handed over"],
    ["replace", "rollingBack", false, "cart: the new version waits until the one that is rollingBack has ended"],
  ] as const)("that says %s while %s", (onNewVersion, phase, replaces, message) => {
    expect(judged({ onNewVersion, salt: "new" }, standing("cart", phase))).toMatchObject({ type: "wait", replaces, message });
  });

  test.each(["queue", "replace"] as const)("that says %s and is none changes nothing", (onNewVersion) => {
    expect(judged({ onNewVersion }, standing("cart", "stage", { onNewVersion })).type).toBe("unchanged");
  });
});

test("rollouts of one service may have the same match, because only one runs", () => {
  const match = { hosts: ["shop.example"] };
  expect(judged({ match, service: "shop" }, standing("other", "stage", { match, service: "shop" })).type).toBe("start");
  expect(judged({ match, service: "shop" }, standing("other", "stage", { match, service: "pay" })).type).toBe("refused");
});

describe("the policy's defaults", () => {
  const defaults = { preset: "careful", calendar: "office", onNewVersion: "queue" } as const;

  test("fill what a document does not say, and nothing else", () => {
    expect(withDefaults({ name: "cart" }, defaults)).toEqual({
      name: "cart",
      calendar: "office",
      onNewVersion: "queue",
      checks: { preset: "careful" },
    });
    const own = { calendar: { never: [] }, onNewVersion: "refuse", checks: { preset: "fast", alpha: 0.1 } };
    expect(withDefaults(own, defaults)).toEqual(own);
  });

  test.each([null, "text", 5, undefined])("leave %j as it is", (document) => {
    expect(withDefaults(document, defaults)).toBe(document);
  });

  test("leave what is no mapping of checks for the schema", () => {
    expect(withDefaults({ checks: "none" }, { preset: "fast" })).toEqual({ checks: "none" });
    expect(withDefaults({ name: "cart" }, {})).toEqual({ name: "cart" });
    expect(withDefaults({ name: "cart" }, undefined)).toEqual({ name: "cart" });
  });
});

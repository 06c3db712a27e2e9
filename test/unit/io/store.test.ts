import { describe, expect, test } from "vitest";
import { LeaseSchema } from "../../../src/contract/rules.ts";
import { CorruptValueError, decodePlan, decodeStored } from "../../../src/io/store.ts";
import { documentOf } from "../controller/builders.ts";

const stored = (value: unknown) => ({ subject: "serin.plans.cart", sequence: 7, data: new TextEncoder().encode(JSON.stringify(value)) });
const plan = { format: 1, document: documentOf("cart"), who: { name: "ann", claimed: true }, atMs: 5, commandId: "command-1" };
const message =
  "the value at serin.plans.cart cannot be read: a newer version wrote it, or it was altered; use the newest version that runs here";

describe("a stored plan", () => {
  test("is read with its sequence, as written and parsed", () => {
    expect(decodePlan(stored(plan))).toMatchObject({ sequence: 7, document: plan.document, atMs: 5, commandId: "command-1" });
    expect(decodePlan(stored(plan)).rollout.strategy).toMatchObject({ stages: [{ share: 1_000, minTime: 1_000 }] });
  });

  test.each([
    { title: "of a later format", value: { ...plan, format: 2 } },
    { title: "whose document is no rollout", value: { ...plan, document: { name: "cart" } } },
  ])("$title is refused with its subject", ({ value }) => {
    expect(() => decodePlan(stored(value))).toThrow(new CorruptValueError("serin.plans.cart"));
  });
});

test("text that is no JSON is refused with its subject", () => {
  const data = new TextEncoder().encode("{");
  expect(() => decodeStored(LeaseSchema, { subject: "serin.plans.cart", sequence: 1, data })).toThrow(message);
});

import { expect, test } from "vitest";
import { createHistory } from "../../../../src/cli/live/history.ts";
import { CheckRecordSchema } from "../../../../src/contract/verdict.ts";

const errors = (difference: number | null): Parameters<ReturnType<typeof createHistory>["take"]>[2] => ({
  checks: [
    CheckRecordSchema.parse({
      ...{ name: "errors", verdict: "hold", weight: 1, stable: 0, canary: 0, difference, lower: null, upper: null },
      ...{ threshold: 0.01, odds: 1, dispersion: 1, stableSample: 0, canarySample: 0 },
    }),
  ],
});

test("a history keeps the differences of an attempt in their order, and begins anew with the next", () => {
  const history = createHistory();
  history.take("cart", 1, errors(0.1));
  history.take("cart", 1, errors(null));
  expect(history.of("cart").get("errors")).toEqual([0.1, null]);
  history.take("cart", 5, errors(0.3));
  expect(history.of("cart").get("errors")).toEqual([0.3]);
});

test("a history is bounded, and knows nothing of what it has not seen", () => {
  const history = createHistory();
  for (let index = 0; index < 500; index += 1) history.take("cart", 1, errors(index));
  const kept = history.of("cart").get("errors") ?? [];
  expect([kept.length, kept.at(-1)]).toEqual([120, 499]);
  expect(history.of("checkout").size).toBe(0);
});

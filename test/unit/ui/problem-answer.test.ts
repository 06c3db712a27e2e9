import { expect, test } from "vitest";
import { isFinal, ProblemAnswer } from "../../../src/ui/problem-answer.ts";

test.each([401, 403, 409, 422])("an answer of %i is final: the next command is another", (status) => {
  expect(isFinal(new ProblemAnswer(status, "no"))).toBe(true);
});

test.each([500, 502, 503])("after %i the same command asks how it ended", (status) => {
  expect(isFinal(new ProblemAnswer(status, "no leader"))).toBe(false);
});

test("after a lost answer the same command asks how it ended", () => {
  expect(isFinal(new TypeError("Failed to fetch"))).toBe(false);
});

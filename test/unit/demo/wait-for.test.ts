import { expect, test } from "vitest";
import { waitFor } from "../../../src/demo/wait-for.ts";

test("waiting ends with the first answer that is neither undefined nor false", async () => {
  const answers = [undefined, false, 0] as const;
  let asked = 0;
  expect(await waitFor(() => answers[asked++], { deadlineMs: 5_000, what: "a number" })).toBe(0);
});

test("a condition that throws is asked again", async () => {
  let asked = 0;
  const condition = (): string => {
    asked += 1;
    if (asked < 3) throw new Error("refused");
    return "here";
  };
  expect(await waitFor(condition, { deadlineMs: 5_000, what: "it" })).toBe("here");
});

test("at the deadline the error says what was waited for, and the last fault", async () => {
  const never = waitFor(() => Promise.reject(new Error("connection refused")), { deadlineMs: 1, what: "the server" });
  await expect(never).rejects.toThrow("waited 1 ms for the server; last error: connection refused");
});

test("a condition is asked at least once", async () => {
  expect(await waitFor(() => "at once", { deadlineMs: 0, what: "it" })).toBe("at once");
});

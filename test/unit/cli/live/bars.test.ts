import { expect, test } from "vitest";
import { bar, sparkline } from "../../../../src/cli/live/bars.ts";

test.each([
  { part: 0, shown: "░░░░" },
  { part: 0.5, shown: "██░░" },
  { part: 0.53, shown: "██▏░" },
  { part: 1, shown: "████" },
  { part: 7, shown: "████" },
])("a bar of which $part is filled is $shown", ({ part, shown }) => {
  expect(bar(part, 4)).toBe(shown);
});

test("a sparkline has what is tolerated in its middle, and neither end beyond its height", () => {
  expect(sparkline([-1, 0, 0.0049, 0.01, 0.0175, 0.02, 9], 0.01, 10)).toBe("▁▁▂▅███");
});

test("a sparkline leaves a gap where nothing was known, and shows the newest where there is too much", () => {
  expect(sparkline([0.01, null, 0], 0.01, 10)).toBe("▅ ▁");
  expect(sparkline([0.01, 0.01, 0], 0.01, 2)).toBe("▅▁");
});

test("where nothing is tolerated any difference is too much", () => {
  expect(sparkline([0, 0.001], 0, 10)).toBe("▁█");
});

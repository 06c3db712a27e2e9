import { expect, test } from "vitest";
import { countText, oddsText, pointsText, ratioText } from "../../../../src/core/judge/figures.ts";

test.each([
  [ratioText(0.0312), "3.1 %"],
  [ratioText(1), "100 %"],
  [ratioText(0), "0 %"],
  [ratioText(0.000_031_2), "0.0031 %"],
  [ratioText(null), "nothing"],
  [pointsText(0.005), "0.5 points"],
  [pointsText(0.01), "1 point"],
  [pointsText(0.1), "10 points"],
  [oddsText(2_418), "2,400 : 1"],
  [oddsText(1_234_567), "1,200,000 : 1"],
  [oddsText(14.4), "14 : 1"],
  [oddsText(0.123), "0.12 : 1"],
  [countText(1_234_567), "1,234,567"],
  [countText(57), "57"],
])("figures read like %s", (text, expected) => {
  expect(text).toBe(expected);
});

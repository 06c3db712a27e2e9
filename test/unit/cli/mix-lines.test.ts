import { expect, test } from "vitest";
import { mixLines } from "../../../src/cli/mix-lines.ts";
import { mixFigures } from "../../../src/core/judge/mix.ts";
import { COUNTRIES, groupsOf } from "../../support/mix-inputs.ts";

test("the mix is a table of each value's part on each side, and a warning for each label that is skewed", () => {
  const groups = groupsOf({
    "stable share": { SE: 45, DE: 755 },
    "stable control": { SE: 5, DE: 95 },
    "canary share": { SE: 5, DE: 94, other: 1 },
    "canary target staff": { SE: 60 },
  });
  expect(mixLines(mixFigures(COUNTRIES, groups, 3)).join("\n")).toBe(
    [
      "  users of run 3  canary  by share  by target  control  all users",
      "  in number       160     100       60         100      1060",
      "  country=SE      40.6 %  5.0 %     100.0 %    5.0 %    10.8 %",
      "  country=DE      58.8 %  94.0 %    0.0 %      95.0 %   89.1 %",
      "  country=other   0.6 %   1.0 %     0.0 %      0.0 %    0.1 %",
      "  warning: 41 % of the canary's users have country=SE, 11 % of all; brought by target `staff` (odds 1,000,000,000 : 1)",
    ].join("\n"),
  );
});

test("without a target there is no warning, and numbers of samples are about right", () => {
  const lines = mixLines(
    mixFigures(COUNTRIES, groupsOf({ "stable share": { SE: 400, DE: 3_600 }, "canary share": { SE: 10, DE: 90 } }), 3),
  );
  expect(lines.join("\n")).not.toContain("warning");
  expect(lines[0]).toMatch(/in number, about +100 +100 +\d{4}\n/);
});

test("before anybody is on the canary, its column is empty", () => {
  expect(mixLines(mixFigures(COUNTRIES, groupsOf({ "stable share": { SE: 1 } }), 3))).toEqual([
    ["  users of run 3  canary  all users", "  in number       0       1", "  country=SE      –       100.0 %"].join("\n"),
  ]);
});

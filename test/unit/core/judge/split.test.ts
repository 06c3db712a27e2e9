import { describe, expect, test } from "vitest";
import { failing, judgeAll, policy, repeated } from "../../../support/judge-inputs.ts";

/** So many of 1,000 decisions a second are the canary's, at a share; stable and canary do alike. */
const rolled = (canary: number, shareBp: number, seconds = 120) =>
  judgeAll(repeated(seconds, { stable: failing(0, 1_000), canary: failing(0, 100), split: { shareBp, canary, all: 1_000 } })).records;

describe("a canary that gets another part of the decisions than its share", () => {
  test("holds where these are far too few, and says so", () => {
    expect(rolled(20, 1_000).at(-1)).toMatchObject({
      verdict: "hold",
      reason: "the canary got 2 % of the decisions, and its share is 10 %: its requests are lost somewhere",
    });
  });

  test.each([
    { title: "as many as it should", canary: 100 },
    { title: "a quarter more, as a few busy users bring", canary: 125 },
    { title: "a quarter fewer", canary: 75 },
    { title: "far too many, as a few clients that ask without a pause bring", canary: 250 },
  ])("goes on where these are $title", ({ canary }) => {
    expect(new Set(rolled(canary, 1_000).map(({ verdict }) => verdict))).toEqual(new Set(["advance"]));
  });

  test.each([
    { title: "at share 0", canary: 20, shareBp: 0 },
    { title: "at 100 %", canary: 20, shareBp: 10_000 },
  ])("is not asked about $title, where targets alone decide", ({ canary, shareBp }) => {
    expect(rolled(canary, shareBp).at(-1)).toMatchObject({ verdict: "advance" });
  });

  test("is not asked about where no decision is told", () => {
    const quiet = repeated(60, { stable: failing(0, 1_000), canary: failing(0, 100), split: { shareBp: 1_000, canary: 0, all: 0 } });
    expect(judgeAll(quiet).state.split).toMatchObject({ all: 0, canary: 0, expected: 0 });
  });

  test("is the mean of the shares where these grew: what was right is no skew later", () => {
    const grown = [100, 200, 500].flatMap((canary, index) =>
      repeated(
        40,
        { stable: failing(0, 1_000), canary: failing(0, canary), split: { shareBp: canary * 10, canary, all: 1_000 } },
        index * 40_000,
      ),
    );
    const { state, records } = judgeAll(grown, policy);
    expect(state.split.expected).toBeCloseTo(state.split.canary, 6);
    expect(records.at(-1)?.verdict).toBe("advance");
  });
});

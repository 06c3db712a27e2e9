import { describe, expect, test } from "vitest";
import { newcombe, wilson } from "../../../../src/core/judge/difference.ts";
import vectors from "../../../vectors/difference.json" with { type: "json" };

describe("intervals are those of another implementation", () => {
  test.each(vectors.cases)("$a.hits of $a.all against $b.hits of $b.all", ({ a, b, wilson: ofRatio, newcombe: ofDifference }) => {
    for (const [index, end] of wilson(a).entries()) expect(end).toBeCloseTo(Number(ofRatio[index]), 10);
    for (const [index, end] of newcombe(a, b).entries()) expect(end).toBeCloseTo(Number(ofDifference[index]), 10);
  });
});

test("Newcombe's own example: 56 of 70 against 48 of 80 differ by 0.0524 to 0.3339", () => {
  expect(newcombe({ hits: 56, all: 70 }, { hits: 48, all: 80 }).map((end) => Number(end.toFixed(4)))).toEqual([0.0524, 0.3339]);
});

test("the interval of a difference is the mirror image when the two change places", () => {
  const [low, high] = newcombe({ hits: 12, all: 900 }, { hits: 40, all: 1_100 });
  const [mirroredLow, mirroredHigh] = newcombe({ hits: 40, all: 1_100 }, { hits: 12, all: 900 });
  expect([low, high]).toEqual([-mirroredHigh, -mirroredLow].map((end) => expect.closeTo(end, 12)));
});

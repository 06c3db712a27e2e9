import { describe, expect, test } from "vitest";
import { nextPace, PACE } from "../../../src/demo/pace.ts";

describe("the pace of the demo's traffic", () => {
  test.each([
    { title: "grows while the machine is calm", perSecond: 100, busyPercent: 44, next: 115 },
    { title: "grows no further than its most", perSecond: PACE.most, busyPercent: 0, next: PACE.most },
    { title: "stays where the machine is busy enough", perSecond: 500, busyPercent: 45, next: 500 },
    { title: "stays up to the limit", perSecond: 500, busyPercent: 55, next: 500 },
    { title: "goes down above the limit", perSecond: 600, busyPercent: 56, next: 510 },
    { title: "goes no further down than its least", perSecond: 450, busyPercent: 100, next: PACE.least },
    { title: "grows slowly to its least on a busy machine", perSecond: 100, busyPercent: 100, next: 105 },
    { title: "grows slowly to its least and no further", perSecond: 419, busyPercent: 50, next: PACE.least },
  ])("$title", ({ perSecond, busyPercent, next }) => {
    expect(nextPace(perSecond, busyPercent)).toBeCloseTo(next);
  });
});

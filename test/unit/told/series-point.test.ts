import { fc, test as propertyTest } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import type { SeriesPoint } from "../../../src/contract/stream.ts";
import { withPoint } from "../../../src/told/series-point.ts";

const point = (atMs: number, change: Partial<SeriesPoint> = {}): SeriesPoint => ({
  atMs,
  shareBp: 100,
  shareSeenBp: 90,
  verdict: "hold",
  checks: [],
  ...change,
});

describe("the way of a check", () => {
  propertyTest.prop([
    fc.array(fc.record({ afterMs: fc.integer({ min: -10, max: 60_000 }), shareBp: fc.integer({ min: 0, max: 3 }) }), { maxLength: 400 }),
    fc.integer({ min: 2, max: 40 }),
  ])("is never longer than it may be, is in order, begins where it began and ends with the newest", (steps, most) => {
    let atMs = 0;
    const given = steps.map(({ afterMs, shareBp }) => point((atMs += afterMs), { shareBp }));
    const way = given.reduce<readonly SeriesPoint[]>((points, next) => withPoint(points, next, most), []);
    expect(way.length).toBeLessThanOrEqual(most);
    expect(way[0]).toEqual(given[0]);
    expect(way.map((each) => each.atMs)).toEqual(way.map((each) => each.atMs).toSorted((a, b) => a - b));
    expect(way.at(-1)?.atMs).toBe(given.length === 0 ? undefined : Math.max(...given.map((each) => each.atMs)));
  });

  test("has a point a second, and more where the verdict turns", () => {
    const given = [point(0), point(300), point(600), point(650, { verdict: "rollback" }), point(1_700, { verdict: "rollback" })];
    const way = given.reduce<readonly SeriesPoint[]>((points, next) => withPoint(points, next), []);
    expect(way.map(({ atMs }) => atMs)).toEqual([0, 600, 650, 1_700]);
  });
});

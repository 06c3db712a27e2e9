import { fc, test as propertyTest } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { bandPath, CHART, linePath, type Sample, scaleOf } from "../../../src/ui/chart-shape.ts";

const samples = fc.array(fc.tuple(fc.integer({ min: 0, max: 1e9 }), fc.option(fc.double({ min: 0, max: 1, noNaN: true }))), {
  minLength: 1,
});

describe("a chart", () => {
  propertyTest.prop([samples])("draws every value inside its edges", (line) => {
    const scale = scaleOf([line], 0.01);
    const numbers = [...linePath(line, scale).matchAll(/(-?[\d.]+) (-?[\d.]+)/g)];
    expect(numbers).toHaveLength(line.filter(([, value]) => value !== null).length);
    for (const [, x, y] of numbers) {
      expect([Number(x) >= CHART.left, Number(x) <= CHART.width - CHART.right]).toEqual([true, true]);
      expect([Number(y) >= CHART.top, Number(y) <= CHART.height - CHART.bottom]).toEqual([true, true]);
    }
  });

  test.each([
    { value: 0.001, top: 0.01 },
    { value: 0.011, top: 0.02 },
    { value: 0.02, top: 0.02 },
    { value: 0.3, top: 0.5 },
    { value: 0.51, top: 1 },
  ])("of $value ends at $top", ({ value, top }) => {
    expect(scaleOf([[[0, value]]], 0.01).top).toBe(top);
  });

  const line: Sample[] = [
    [0, 0],
    [10, 1],
    [20, null],
    [30, 1],
  ];
  const scale = scaleOf([line], 1);

  test("breaks a line where nothing was measured", () => {
    expect(linePath(line, scale)).toBe("M52 178L232 8M592 8");
  });

  test("lets a value that is set last until the next", () => {
    expect(linePath(line.slice(0, 2), scale, true)).toBe("M52 178H232V8");
  });

  test("shades what lies between bounds, and nothing where one is missing", () => {
    expect(
      bandPath(
        [
          [0, 0, 1],
          [10, 0, 1],
          [20, null, 1],
          [30, 0, 1],
        ],
        scale,
      ),
    ).toBe("M52 8L232 8L232 178L52 178Z");
  });
});

import { describe, expect, test } from "vitest";
import type { OwnNews } from "../../../src/controller/checks/own-evidence.ts";
import type { Delta } from "../../../src/controller/evidence-deltas.ts";
import { addOwnTo, addToVariants } from "../../../src/controller/variant-tally.ts";

const delta = (change: Partial<Delta>): Delta => ({ measure: "ok", variant: "b", control: false, run: 3, values: [10], ...change });
const news = (variants: OwnNews["variants"]): OwnNews => ({ isNew: true, counts: {}, samples: {}, hits: {}, findings: [], variants });

describe("sums of each variant", () => {
  test("count each by its own name, and no half a second time", () => {
    const found = [
      delta({}),
      delta({ measure: "failed", values: [2] }),
      delta({ measure: "decided", values: [9] }),
      delta({ measure: "shared", values: [4] }),
      delta({ measure: "settled", values: [12] }),
      delta({ measure: "elsewhere", values: [1] }),
      delta({ measure: "latency", values: [7, 5] }),
      delta({ measure: "latency", values: [1, 1] }),
      delta({ half: "keys", values: [5] }),
      delta({ variant: "stable", control: true, values: [3] }),
    ];
    const { b, stable } = addToVariants({}, found);
    expect(b).toEqual({ decided: 13, settled: 12, requests: 12, failed: 2, latency: [8, 6], own: {} });
    expect(stable?.requests).toBe(3);
  });

  test("add own checks up, of variants without requests too", () => {
    const once = addOwnTo({}, news({ orders: { b: { hits: 2, all: 20 }, stable: { hits: 1, all: 30 } } }));
    const twice = addOwnTo(once, news({ orders: { b: { hits: 1, all: 5 } } }));
    expect([twice["b"]?.own, twice["stable"]?.own]).toEqual([{ orders: { hits: 3, all: 25 } }, { orders: { hits: 1, all: 30 } }]);
    expect(addOwnTo(twice, undefined)).toBe(twice);
  });
});

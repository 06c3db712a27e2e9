import { describe, expect, test } from "vitest";
import {
  addSample,
  type GaugePolicy,
  type GaugeState,
  GaugeStateSchema,
  gaugeFinding,
  NO_GAUGE,
} from "../../../../src/core/judge/gauge.ts";
import { randomOf } from "../../../support/random.ts";

const BLOCK_MS = 30_000;
const higher: GaugePolicy = { harm: "higher", tolerated: { absolute: 0.1 } };

/** One value a block; the last block stays open. */
function after(blocks: number, values: (block: number) => readonly [stable: number, canary: number], policy = higher): GaugeState {
  let state = NO_GAUGE;
  for (let block = 0; block <= blocks; block += 1) {
    const [stable, canary] = values(block);
    state = addSample(state, { atMs: block * BLOCK_MS, stable, canary }, policy);
  }
  return state;
}

/** A little unrest, without which the interval would have no width. */
const shaken = (block: number): number => (block % 2 === 0 ? 0.01 : -0.01);

describe("a gauge is compared in blocks of 30 s", () => {
  test("each of which counts as its mean", () => {
    let state = after(10, () => [0, 0]);
    for (const [atMs, canary] of [
      [300_000, 1],
      [310_000, 2],
      [329_999, 6],
      [330_000, 100],
    ] as const)
      state = addSample(state, { atMs, stable: 0, canary }, higher);
    expect([state.count, state.means.canary]).toEqual([1, 9 / 4]);
  });

  test("of which the first ten do not count", () => {
    expect(after(10, () => [0, 9]).count).toBe(0);
    expect(after(11, () => [0, 9]).count).toBe(1);
  });

  test("and says nothing before twenty of them count", () => {
    expect(gaugeFinding(NO_GAUGE, higher, 0.01)).toMatchObject({ verdict: "unknown", stable: null, upper: null, blocks: 0 });
    expect(
      gaugeFinding(
        after(29, () => [0, 9]),
        higher,
        0.01,
      ),
    ).toMatchObject({ verdict: "unknown", canary: 9, upper: null, blocks: 19 });
    expect(
      gaugeFinding(
        after(30, () => [0, 9]),
        higher,
        0.01,
      ),
    ).toMatchObject({ verdict: "hold", blocks: 20 });
  });

  test("a value that comes late counts in the open block", () => {
    const state = addSample(
      after(1, () => [0, 0]),
      { atMs: 0, stable: 0, canary: 0 },
      higher,
    );
    expect(state.block).toMatchObject({ sinceMs: BLOCK_MS, count: 2 });
  });
});

describe("a gauge warns of harm beyond what is tolerated", () => {
  const relative = (harm: GaugePolicy["harm"]): GaugePolicy => ({ harm, tolerated: { relative: 0.1 } });
  test.each([
    { title: "a rise by more, where a rise is harm", policy: higher, stable: 0.5, canary: 0.7, verdict: "hold" },
    { title: "a rise by less", policy: higher, stable: 0.5, canary: 0.55, verdict: "advance" },
    { title: "a rise of just that much proves nothing", policy: higher, stable: 0.5, canary: 0.6, verdict: "unknown" },
    { title: "a drop, where a rise is harm", policy: higher, stable: 0.5, canary: 0.1, verdict: "advance" },
    { title: "a drop by more, where a drop is harm", policy: relative("lower"), stable: 100, canary: 80, verdict: "hold" },
    { title: "a drop by less than a part of stable's value", policy: relative("lower"), stable: 100, canary: 95, verdict: "advance" },
    { title: "a rise by more than a part of stable's value", policy: relative("higher"), stable: 100, canary: 120, verdict: "hold" },
    { title: "a rise of what is below 0", policy: relative("higher"), stable: -100, canary: -95, verdict: "advance" },
  ])("$title: $verdict", ({ policy, stable, canary, verdict }) => {
    const state = after(60, (block) => [stable, canary + shaken(block)], policy);
    expect(gaugeFinding(state, policy, 0.01).verdict).toBe(verdict);
  });

  test("its bound is on the difference, the tolerated part included", () => {
    const finding = gaugeFinding(
      after(60, (block) => [0.5, 0.7 + shaken(block)]),
      higher,
      0.01,
    );
    expect(finding.threshold).toBe(0.1);
    expect(finding.upper).toBeGreaterThan(0.2);
    expect(finding.upper).toBeLessThan(0.22);
  });

  test("a state that was written down goes on as if nothing had been", () => {
    const state = after(40, (block) => [0.5, 0.6 + shaken(block)]);
    expect(GaugeStateSchema.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
  });
});

test.each([
  { title: "even", draw: (random: () => number) => random() },
  { title: "lopsided", draw: (random: () => number) => -Math.log(1 - random()) },
  { title: "normal", draw: (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) },
])("looked at after each of 300 blocks, $title values without a difference are called one in about alpha of runs", ({ draw }) => {
  const random = randomOf(20_261_126);
  const none: GaugePolicy = { harm: "higher", tolerated: { absolute: 0 } };
  const alpha = 0.05;
  const runs = 1_000;
  let wrong = 0;
  for (let run = 0; run < runs; run += 1) {
    let state = NO_GAUGE;
    for (let block = 0; block < 310; block += 1) {
      state = addSample(state, { atMs: block * BLOCK_MS, stable: draw(random), canary: draw(random) }, none);
      if (gaugeFinding(state, none, alpha).verdict === "unknown") continue;
      wrong += 1;
      break;
    }
  }
  // Three standard deviations of a count of so many runs.
  expect(wrong / runs).toBeLessThan(alpha + 3 * Math.sqrt((alpha * (1 - alpha)) / runs));
  expect(wrong).toBeGreaterThan(0);
});

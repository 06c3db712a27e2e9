import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createSlices } from "../../../src/io/slices.ts";

describe("long work in slices", () => {
  let nowMs = 0;
  beforeEach(() => {
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("goes on at once while its slice lasts, and waits for the next turn then", async () => {
    const slices = createSlices();
    let steps = 0;
    const work = (async () => {
      for (; steps < 10; steps += 1) {
        nowMs += 1;
        await slices();
      }
    })();
    const seen: number[] = [];
    while (steps < 10) {
      await nextTurn();
      seen.push(steps);
    }
    await work;
    // A pause follows each second step; what was seen is of each turn of the loop.
    expect(seen.filter((each, index) => each !== seen[index - 1])).toEqual([1, 3, 5, 7, 9, 10]);
  });

  test("has one slice a turn, however many works share it, and each has its turn", async () => {
    const slices = createSlices();
    const turns: string[][] = [];
    const work = async (name: string): Promise<void> => {
      await slices();
      for (let step = 0; step < 4; step += 1) {
        nowMs += 1;
        turns.at(-1)?.push(name);
        await slices();
      }
    };
    nowMs += 100;
    const works = Promise.all(["a", "b", "c"].map(work));
    let isDone = false;
    void works.then(() => (isDone = true));
    while (!isDone) {
      turns.push([]);
      await nextTurn();
    }
    expect(Math.max(...turns.map((names) => names.length))).toBeLessThanOrEqual(2);
    expect(turns.filter((names) => names.length > 0).map((names) => [...new Set(names)].join(""))).toEqual(["a", "b", "c", "a", "b", "c"]);
  });
});

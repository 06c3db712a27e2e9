import { describe, expect, test } from "vitest";
import { KEY_HASHES, SKETCH_CAPACITY } from "../../../src/contract/failing-users.ts";
import { countsOf, distinct, EMPTY_SKETCH, isExact, keyHash, sketchOf } from "../../../src/core/judge/key-sketch.ts";
import { createKeyCounter } from "../../../src/sidecar/key-counter.ts";

const roomFor = (max: number) => ({ max, used: 0 });
const fill = (counter: ReturnType<typeof createKeyCounter>, users: number, from = 0): (number | undefined)[] =>
  Array.from({ length: users }, (_, index) => counter.add(keyHash(from + index), 1));

describe("a counter of users", () => {
  test("begins with nobody", () => {
    expect(createKeyCounter(roomFor(10)).sketch()).toEqual(EMPTY_SKETCH);
  });

  test("holds each user once, with all its failing requests", () => {
    const counter = createKeyCounter(roomFor(10));
    for (const key of [7, 3, 7]) counter.add(key, 1);
    expect([...countsOf(counter.sketch())]).toEqual([
      [3, 1],
      [7, 2],
    ]);
  });

  test.each([SKETCH_CAPACITY, SKETCH_CAPACITY + 1, 2 * SKETCH_CAPACITY + 1, 50_000])(
    "of %i users is the sketch that these give at once, in bounded memory",
    (users) => {
      const counter = createKeyCounter(roomFor(100_000));
      fill(counter, users);
      const counts = new Map(Array.from({ length: users }, (_, index) => [keyHash(index), 1]));
      expect(counter.sketch()).toEqual(sketchOf(counts));
      expect(counter.size).toBeLessThanOrEqual(2 * SKETCH_CAPACITY);
    },
  );

  test("keeps a sample when all room is taken, and tells nobody off", () => {
    const room = roomFor(100);
    const counter = createKeyCounter(room);
    expect(fill(counter, 1_000).includes(undefined)).toBe(false);
    expect(room.used).toBe(counter.size);
    expect(counter.size).toBeLessThanOrEqual(100);
    expect(isExact(counter.sketch())).toBe(false);
    // At least 50 users are kept, so one standard deviation is at most 14 %.
    expect(Math.abs(distinct(counter.sketch()) / 1_000 - 1)).toBeLessThan(0.56);
  });

  test("says so when there is no room and too little to thin, and goes on with the users that it has", () => {
    const room = roomFor(10);
    fill(createKeyCounter(room), 10);
    const counter = createKeyCounter(room);
    expect([counter.add(5, 1), counter.size, counter.sketch().theta]).toEqual([undefined, 0, KEY_HASHES]);
  });

  test("gives its room back", () => {
    const room = roomFor(10);
    const counter = createKeyCounter(room);
    fill(counter, 10);
    counter.release();
    expect(room.used).toBe(0);
  });
});

import { describe, expect, test } from "vitest";
import { GROUP_CAPACITY } from "../../../src/contract/mix-evidence.ts";
import { keyHash } from "../../../src/core/judge/key-sketch.ts";
import { limitOf, thinned } from "../../../src/core/judge/user-sample.ts";
import { createUserCounter, type UserCounter } from "../../../src/sidecar/user-counter.ts";

const roomFor = (max: number) => ({ max, used: 0 });
const fill = (counter: UserCounter, users: number): string[] =>
  Array.from({ length: users }, (_, index) => counter.add(keyHash(index), () => 1));

describe("a counter of users with marks", () => {
  test("holds each user once, with the bits of all its requests", () => {
    const counter = createUserCounter(roomFor(10));
    const add = (hash: number, mark: number): string => counter.add(hash, () => mark);
    expect([add(7, 1), add(3, 4), add(7, 2), add(7, 1)]).toEqual(["changed", "changed", "changed", "same"]);
    expect([...counter.sample().users]).toEqual([
      [7, 3],
      [3, 4],
    ]);
  });

  test.each([GROUP_CAPACITY, GROUP_CAPACITY + 1, 50_000])("of %i users is the sample that these give at once", (users) => {
    const room = roomFor(100_000);
    const counter = createUserCounter(room);
    fill(counter, users);
    const all = new Map(Array.from({ length: users }, (_, index) => [keyHash(index), 1]));
    expect(counter.sample()).toEqual(thinned({ level: 0, users: all }, GROUP_CAPACITY));
    expect(room.used).toBe(counter.sample().users.size);
  });

  test("asks for no mark of a user whom it does not keep", () => {
    const counter = createUserCounter(roomFor(100_000));
    fill(counter, 5_000);
    const beyond = limitOf(counter.sample().level);
    const unasked = (): number => {
      throw new Error("asked");
    };
    expect(counter.add(beyond, unasked)).toBe("same");
    expect(() => counter.add(beyond - 1, unasked)).toThrow("asked");
  });

  test("keeps a sample when all room is taken", () => {
    const room = roomFor(100);
    const counter = createUserCounter(room);
    expect(fill(counter, 1_000)).not.toContain("no room");
    const { level, users } = counter.sample();
    expect([room.used, level > 0]).toEqual([users.size, true]);
    const hashes = Array.from({ length: 1_000 }, (_, index) => keyHash(index));
    expect(new Set(users.keys())).toEqual(new Set(hashes.filter((hash) => hash < limitOf(level))));
  });

  test("says so when there is no room and too little to thin", () => {
    const room = roomFor(10);
    fill(createUserCounter(room), 10);
    const counter = createUserCounter(room);
    expect([counter.add(5, () => 1), counter.sample().users.size]).toEqual(["no room", 0]);
  });

  test("gives its room back", () => {
    const room = roomFor(10);
    const counter = createUserCounter(room);
    fill(counter, 10);
    counter.release();
    expect([room.used, counter.sample().users.size]).toEqual([0, 0]);
  });
});

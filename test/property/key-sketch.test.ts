import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { KEY_HASHES, StoredSketchSchema } from "../../src/contract/failing-users.ts";
import {
  countsOf,
  distinct,
  failingRequests,
  type KeySketch,
  keyHash,
  readSketch,
  sketchOf,
  storedSketch,
  unite,
  within,
  without,
} from "../../src/core/judge/key-sketch.ts";

const CAPACITY = 8;
/** Few hashes, so that sketches share some, and both sides of the capacity are met. */
const hash = fc.nat({ max: 40 });
const counts = fc.uniqueArray(fc.tuple(hash, fc.integer({ min: 1, max: 9 })), { selector: ([key]) => key, maxLength: 24 });
const sketch: fc.Arbitrary<KeySketch> = counts.map((entries) => sketchOf(new Map(entries), KEY_HASHES, CAPACITY));
const joined = (...sketches: KeySketch[]): KeySketch => unite(sketches, CAPACITY);
const usersOf = ({ theta, keys }: KeySketch) => ({ theta, keys });

describe("uniting", () => {
  test.prop([sketch, sketch])("does not depend on the order", (a, b) => {
    expect(joined(a, b)).toEqual(joined(b, a));
  });

  test.prop([sketch, sketch, sketch])("does not depend on what is united first", (a, b, c) => {
    expect(joined(joined(a, b), c)).toEqual(joined(a, joined(b, c)));
    expect(joined(joined(a, b), c)).toEqual(joined(a, b, c));
  });

  test.prop([sketch, sketch])("with what is in already adds no user", (a, b) => {
    expect(usersOf(joined(a, a))).toEqual(usersOf(a));
    expect(usersOf(joined(a, b, a))).toEqual(usersOf(joined(a, b)));
  });

  test.prop([fc.array(counts, { maxLength: 12 })])("gives what one sidecar would have counted that saw every request", (parts) => {
    const all = new Map<number, number>();
    for (const [key, requests] of parts.flat()) all.set(key, (all.get(key) ?? 0) + requests);
    const united = joined(...parts.map((entries) => sketchOf(new Map(entries), KEY_HASHES, CAPACITY)));
    expect(united).toEqual(sketchOf(all, KEY_HASHES, CAPACITY));
  });
});

describe("counting", () => {
  test.prop([counts])("is exact up to the capacity", (entries) => {
    const few = entries.slice(0, CAPACITY);
    const held = sketchOf(new Map(few), KEY_HASHES, CAPACITY);
    expect([distinct(held), failingRequests(held)]).toEqual([few.length, few.reduce((sum, [, requests]) => sum + requests, 0)]);
  });

  test.prop([sketch, sketch])("inside and outside another add up to all that both can tell", (a, b) => {
    const theta = Math.min(a.theta, b.theta);
    const all = sketchOf(countsOf(a), theta);
    expect(unite([within(a, b), without(a, b)])).toEqual(all);
  });

  test.prop([sketch])("survives the stored form, which fits its schema", (held) => {
    expect(readSketch(StoredSketchSchema.parse(JSON.parse(JSON.stringify(storedSketch(held)))))).toEqual(held);
  });

  /** Over 1,024 kept users the relative error has a standard deviation of 1/√1023 = 3.1 %; four of them are allowed. */
  test.prop([fc.integer({ min: 1_100, max: 60_000 }), fc.nat({ max: KEY_HASHES - 100_000 })], { seed: 20_261_124, numRuns: 60 })(
    "of many users errs by less than 12.5 %, also where their buckets are neighbours",
    (users, from) => {
      const held = sketchOf(new Map(Array.from({ length: users }, (_, index) => [keyHash(from + index), 1])));
      expect(Math.abs(distinct(held) / users - 1)).toBeLessThan(0.125);
      expect(Math.abs(failingRequests(held) / users - 1)).toBeLessThan(0.125);
    },
  );
});

test.prop([fc.nat({ max: KEY_HASHES - 1 }), fc.nat({ max: KEY_HASHES - 1 })])("two buckets never share a hash", (a, b) => {
  expect(keyHash(a) === keyHash(b)).toBe(a === b);
});

import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { StoredSampleSchema } from "../../src/contract/mix-evidence.ts";
import {
  atLevel,
  limitOf,
  NOBODY_SAMPLED,
  readSample,
  storedSample,
  thinned,
  type UserSample,
  uniteSamples,
  withoutUsers,
} from "../../src/core/judge/user-sample.ts";

const CAPACITY = 8;
/** Few users, low and high, so that samples share some and levels part them. */
const hash = fc.integer({ min: 0, max: 31 }).map((step) => step * 2 ** 27 + 5);
const users = fc.uniqueArray(fc.tuple(hash, fc.integer({ min: 1, max: 7 })), { selector: ([key]) => key, maxLength: 24 });
const exact = (entries: readonly (readonly [number, number])[]): UserSample => ({ level: 0, users: new Map(entries) });
const sample = users.map((entries) => thinned(exact(entries), CAPACITY));
const joined = (...samples: UserSample[]): UserSample => uniteSamples(samples, CAPACITY);
/** The order of a Map says nothing. */
const plain = ({ level, users: marks }: UserSample) => ({ level, users: [...marks].toSorted(([a], [b]) => a - b) });

describe("uniting samples of users", () => {
  test.prop([sample, sample, sample])("does not depend on the order, nor on what is united first", (a, b, c) => {
    expect(plain(joined(joined(a, b), c))).toEqual(plain(joined(c, joined(b, a))));
  });

  test.prop([sample, sample])("with what is in already changes nothing", (a, b) => {
    expect(plain(joined(joined(a, b), b, a, NOBODY_SAMPLED))).toEqual(plain(joined(a, b)));
  });

  test.prop([fc.array(users, { maxLength: 6 })])("gives what one sidecar would have counted that saw every request", (parts) => {
    const all = new Map<number, number>();
    for (const [key, mark] of parts.flat()) all.set(key, Number(all.get(key)) | mark);
    const united = joined(...parts.map((entries) => thinned(exact(entries), CAPACITY)));
    const own = thinned({ level: 0, users: all }, CAPACITY);
    // A part may have gone up more levels than all of it had to.
    expect(united.level).toBeGreaterThanOrEqual(own.level);
    expect(plain(united)).toEqual(plain(atLevel(own, united.level)));
  });
});

describe("a sample", () => {
  test.prop([users])("holds all users below its limit, and no more than it may", (entries) => {
    const { level, users: kept } = thinned(exact(entries), CAPACITY);
    expect(kept.size).toBeLessThanOrEqual(CAPACITY);
    expect(new Set(kept.keys())).toEqual(new Set(entries.map(([key]) => key).filter((key) => key < limitOf(level))));
  });

  test.prop([sample])("is the same after it was sent", (held) => {
    const sent = StoredSampleSchema.parse(JSON.parse(JSON.stringify(storedSample(held))));
    expect(plain(readSample(sent))).toEqual(plain(held));
  });

  test.prop([sample, sample])("less another holds what is not in that", (a, b) => {
    expect([...withoutUsers(a, b).users.keys()]).toEqual([...a.users.keys()].filter((key) => !b.users.has(key)));
  });
});

test.each([
  ["a hash twice", { level: 0, steps: [5, 0], marks: [1, 1] }],
  ["a hash beyond the level's limit", { level: 4, steps: [2 ** 28], marks: [1] }],
  ["a mark without a hash", { level: 0, steps: [], marks: [1] }],
  ["a mark of a bit that no value has", { level: 0, steps: [5], marks: [2 ** 30] }],
])("a message with %s is none", (_title, message) => {
  expect(StoredSampleSchema.safeParse(message).success).toBe(false);
});

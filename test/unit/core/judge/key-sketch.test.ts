import { describe, expect, test } from "vitest";
import { KEY_HASHES, StoredSketchSchema } from "../../../../src/contract/failing-users.ts";
import {
  countsOf,
  distinct,
  EMPTY_SKETCH,
  failingRequests,
  isExact,
  keyHash,
  readSketch,
  sketchOf,
  storedSketch,
  unite,
  within,
  without,
} from "../../../../src/core/judge/key-sketch.ts";

const sketch = (counts: Record<number, number>, theta?: number, capacity?: number) =>
  sketchOf(new Map(Object.entries(counts).map(([key, requests]) => [Number(key), requests])), theta, capacity);
const shown = (of: ReturnType<typeof sketch>) => [of.theta, Object.fromEntries(countsOf(of))];

describe("a hash for sampling", () => {
  test.each([
    { bucket: 0, hash: 0 },
    { bucket: 1, hash: 0x514e28b7 },
    { bucket: 2, hash: 0x30f4c306 },
    { bucket: 0xffffffff, hash: 0x81f16f39 },
  ])("of bucket $bucket is fmix32 of MurmurHash3", ({ bucket, hash }) => {
    expect(keyHash(bucket)).toBe(hash);
  });

  test("of a canary's users, who have the lowest buckets, lies anywhere", () => {
    const low = Array.from({ length: 10_000 }, (_, bucket) => keyHash(bucket)).filter((hash) => hash < KEY_HASHES / 4);
    expect(Math.abs(low.length - 2_500)).toBeLessThan(200);
  });
});

describe("a sketch", () => {
  test.each([
    { title: "keeps every user up to its capacity", counts: { 7: 1, 3: 2 }, capacity: 2, expected: [KEY_HASHES, { 3: 2, 7: 1 }] },
    { title: "keeps the lowest hashes beyond it", counts: { 9: 1, 7: 1, 3: 2 }, capacity: 2, expected: [9, { 3: 2, 7: 1 }] },
    { title: "keeps nobody at or above theta", counts: { 8: 1, 7: 1 }, theta: 8, capacity: 2, expected: [8, { 7: 1 }] },
    { title: "of nobody is empty", counts: {}, capacity: 2, expected: [KEY_HASHES, {}] },
  ])("$title", ({ counts, theta, capacity, expected }) => {
    expect(shown(sketch(counts, theta, capacity))).toEqual(expected);
  });

  test.each([
    { title: "while every user is kept, exactly", of: sketch({ 1: 5, 2: 1 }), users: 2, requests: 6, exact: true },
    { title: "of nobody", of: EMPTY_SKETCH, users: 0, requests: 0, exact: true },
    {
      title: "from a sample of a quarter, four times what it holds",
      of: sketch({ 1: 5, 2: 1 }, 2 ** 30),
      users: 8,
      requests: 24,
      exact: false,
    },
  ])("tells users and requests $title", ({ of, users, requests, exact }) => {
    expect([distinct(of), failingRequests(of), isExact(of)]).toEqual([users, requests, exact]);
  });
});

describe("united sketches", () => {
  test("hold a user of two sidecars once, with the requests of both", () => {
    expect(shown(unite([sketch({ 1: 2, 5: 1 }), sketch({ 5: 3 })]))).toEqual([KEY_HASHES, { 1: 2, 5: 4 }]);
  });

  test("are as coarse as the coarsest of them", () => {
    expect(shown(unite([sketch({ 1: 1, 5: 1 }), sketch({ 2: 1 }, 4)]))).toEqual([4, { 1: 1, 2: 1 }]);
  });

  test("of more than twice the capacity are thinned on the way, and no kept user loses a request", () => {
    const parts = Array.from({ length: 10 }, (_, part) => sketch({ [part * 2]: 1, [part * 2 + 1]: 1, 0: 1 }));
    expect(shown(unite(parts, 3))).toEqual([3, { 0: 10, 1: 1, 2: 1 }]);
  });

  test("of none hold nobody", () => {
    expect(unite([])).toEqual(EMPTY_SKETCH);
  });
});

describe("against another sketch", () => {
  const all = sketch({ 1: 1, 2: 2, 9: 3 });
  test.each([
    {
      title: "users that are in it are told apart",
      other: sketch({ 2: 7 }),
      inside: [KEY_HASHES, { 2: 2 }],
      outside: [KEY_HASHES, { 1: 1, 9: 3 }],
    },
    { title: "only hashes that both would keep are compared", other: sketch({ 2: 7 }, 5), inside: [5, { 2: 2 }], outside: [5, { 1: 1 }] },
    {
      title: "nobody is known to an empty one",
      other: EMPTY_SKETCH,
      inside: [KEY_HASHES, {}],
      outside: [KEY_HASHES, { 1: 1, 2: 2, 9: 3 }],
    },
  ])("$title", ({ other, inside, outside }) => {
    expect([shown(within(all, other)), shown(without(all, other))]).toEqual([inside, outside]);
  });
});

describe("the stored form", () => {
  test("gives hashes as differences", () => {
    expect(storedSketch(sketch({ 4: 1, 10: 2, 4_294_967_295: 3 }))).toEqual({
      theta: KEY_HASHES,
      steps: [4, 6, 4_294_967_285],
      requests: [1, 2, 3],
    });
  });

  test("is read back as it was", () => {
    const full = sketch({ 0: 1, 4_294_967_295: 2 });
    expect(readSketch(StoredSketchSchema.parse(storedSketch(full)))).toEqual(full);
  });

  test.each([
    { title: "whose counts are not as many as its hashes", stored: { theta: 9, steps: [1, 2], requests: [1] } },
    { title: "that holds a hash twice", stored: { theta: 9, steps: [1, 0], requests: [1, 1] } },
    { title: "that holds a hash at theta", stored: { theta: 9, steps: [4, 5], requests: [1, 1] } },
    {
      title: "of more users than a sketch keeps",
      stored: { theta: KEY_HASHES, steps: Array(1_025).fill(1), requests: Array(1_025).fill(1) },
    },
  ])("$title is refused", ({ stored }) => {
    expect(StoredSketchSchema.safeParse(stored).success).toBe(false);
  });
});

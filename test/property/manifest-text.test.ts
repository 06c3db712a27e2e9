import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { LiveRule, ManifestPayload } from "../../src/contract/rules.ts";
import { allLive, compareLive } from "../../src/io/manifest-text.ts";
import { decodeManifest, decodeManifestText, encodeManifest } from "../../src/io/rules-store.ts";

const rule: fc.Arbitrary<LiveRule> = fc.record({
  run: fc.nat(12),
  shareBp: fc.constantFrom(0, 500, 10_000),
  off: fc.boolean(),
  whenUnwatched: fc.constantFrom("stable", "hold"),
});
// Names that begin alike, that JSON sorts as numbers, and that objects know already.
const name = fc.oneof(fc.constantFrom("a", "aa", "a-1", "constructor", "7", "10", "live"), fc.stringMatching(/^[a-z]{1,3}$/));
const live = fc.dictionary(name, rule, { maxKeys: 12, noNullPrototype: true });
/** Another set of rules that has much in common with this one. */
const next = (before: Record<string, LiveRule>) =>
  fc.tuple(live, fc.subarray(Object.keys(before)), fc.boolean()).map(([others, kept, isSorted]) => {
    const entries = [...kept.map((key) => [key, before[key] ?? expect.fail()] as const), ...Object.entries(others)];
    return Object.fromEntries(isSorted ? entries.toSorted(([a], [b]) => (a < b ? -1 : 1)) : entries);
  });
const pair = live.chain((before) => next(before).map((after) => ({ before, after })));

const payloadOf = (rules: Record<string, LiveRule>, revision: number): ManifestPayload => ({
  format: 1,
  epoch: 10,
  revision,
  term: 1,
  issuedAtMs: 5,
  blobs: { "0": "a".repeat(64) },
  live: rules,
});
const bytes = (payload: ManifestPayload): Buffer => Buffer.from(encodeManifest(payload));

describe("a manifest that is read after another one", () => {
  test.prop([pair], { numRuns: 2_000 })("is the one that is read alone", ({ before, after }) => {
    const first = decodeManifestText(bytes(payloadOf(before, 1)));
    const { head, live: text } = decodeManifestText(bytes(payloadOf(after, 2)), first);
    expect({ ...head, live: JSON.parse(text) }).toEqual(decodeManifest(bytes(payloadOf(after, 2))));
  });

  test.prop([pair], { numRuns: 2_000 })("differs from it in what changed", ({ before, after }) => {
    const { changed, removed } = compareLive(JSON.stringify(before), JSON.stringify(after));
    const applied = new Map([...Object.entries(before), ...changed]);
    for (const gone of removed) applied.delete(gone);
    expect(Object.fromEntries(applied)).toEqual(after);
    expect([...changed.keys()].filter((key) => removed.includes(key))).toEqual([]);
  });

  test.prop([live, fc.nat(), fc.constantFrom("{", "}", '"', ",", ":", "1", "x", "\\", " ")], { numRuns: 2_000 })(
    "is refused where one that is read alone is",
    (rules, at, character) => {
      const text = JSON.stringify(payloadOf(rules, 2));
      const place = at % text.length;
      const data = Buffer.from(JSON.stringify({ format: 1, payload: text.slice(0, place) + character + text.slice(place + 1) }));
      const read = (decode: () => unknown): unknown => {
        try {
          return decode();
        } catch (error) {
          return String(error);
        }
      };
      const alone = read(() => decodeManifestText(data));
      const after = read(() => decodeManifestText(data, decodeManifestText(bytes(payloadOf(rules, 1)))));
      expect(after).toEqual(alone);
    },
  );
});

test("all rules of a text count as changed where there was none before", () => {
  const rules = payloadOf({ a: { run: 1, shareBp: 0, off: false, whenUnwatched: "hold" } }, 1).live;
  expect(allLive(JSON.stringify(rules))).toEqual({ changed: new Map(Object.entries(rules)), removed: [] });
});

test("a name that stands twice is not taken for two rollouts", () => {
  const one = '"a":{"run":1,"shareBp":0,"off":false,"whenUnwatched":"hold"}';
  const two = '"b":{"run":1,"shareBp":0,"off":false,"whenUnwatched":"hold"}';
  const head = '{"format":1,"epoch":10,"revision":2,"term":1,"issuedAtMs":5,"blobs":{},"live":{';
  const before = decodeManifestText(Buffer.from(JSON.stringify({ format: 1, payload: `${head}${one},${two}}}` })));
  const twice = Buffer.from(JSON.stringify({ format: 1, payload: `${head}${one},${two},${one.replace("0,", "500,")}}}` }));
  expect(Object.keys(JSON.parse(decodeManifestText(twice, before).live))).toEqual(["a", "b"]);
  expect(JSON.parse(decodeManifestText(twice, before).live).a.shareBp).toBe(500);
});

test("10,000 rollouts with names of 20 characters fit one message of NATS", () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `checkout-${String(index).padStart(11, "0")}`);
  const long: LiveRule = { run: 12, shareBp: 10_000, off: false, whenUnwatched: "stable" };
  const blobs = Object.fromEntries(Array.from({ length: 64 }, (_, shard) => [String(shard), "a".repeat(64)]));
  const payload = { ...payloadOf(Object.fromEntries(names.map((key) => [key, long])), 1), blobs };
  const data = bytes(payload);
  expect(data.length).toBeLessThan(1_024 * 1_024 - 4_096);
  expect(Object.keys(decodeManifest(data).live)).toHaveLength(10_000);
});

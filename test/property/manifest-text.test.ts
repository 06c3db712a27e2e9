import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { LiveRule, ManifestPayload } from "../../src/contract/rules.ts";
import { allLive, compareLive, liveText, type ManifestText } from "../../src/io/manifest-text.ts";
import { CorruptRulesError, decodeManifest, decodeManifestText, encodeManifest } from "../../src/io/rules-store.ts";

const oneShare: fc.Arbitrary<LiveRule> = fc.record({
  run: fc.nat(12),
  shareBp: fc.constantFrom(0, 500, 10_000),
  off: fc.boolean(),
  whenUnwatched: fc.constantFrom("stable", "hold"),
});
const shares = fc.dictionary(fc.constantFrom("a", "b", "shares"), fc.constantFrom(0, 500), { noNullPrototype: true });
const rule: fc.Arbitrary<LiveRule> = fc.oneof(
  oneShare,
  fc.tuple(oneShare, fc.constantFrom("zone=a", "zone=a,b")).map(([one, groups]) => ({ ...one, groups })),
  oneShare.map((one) => ({ ...one, sharesOnly: true as const })),
  fc.tuple(oneShare, shares).map(([one, others]) => ({ ...one, shares: others })),
);
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
/** What stands in a manifest's text of its live rules. */
const plain = (live: Buffer): string => JSON.parse(`"${live.toString("utf8")}"`);
const bytes = (payload: ManifestPayload): Buffer => Buffer.from(encodeManifest(payload));

describe("a manifest that is read after another one", () => {
  test.prop([pair], { numRuns: 2_000 })("is the one that is read alone", ({ before, after }) => {
    const first = decodeManifestText(bytes(payloadOf(before, 1)));
    const { head, live: text } = decodeManifestText(bytes(payloadOf(after, 2)), first);
    expect({ ...head, live: JSON.parse(plain(text)) }).toEqual(decodeManifest(bytes(payloadOf(after, 2))));
  });

  test.prop([pair], { numRuns: 2_000 })("differs from it in what changed", ({ before, after }) => {
    const { changed, removed } = compareLive(liveText(before), liveText(after));
    const applied = new Map([...Object.entries(before), ...changed]);
    for (const gone of removed) applied.delete(gone);
    expect(Object.fromEntries(applied)).toEqual(after);
    expect([...changed.keys()].filter((key) => removed.includes(key))).toEqual([]);
  });

  // Near the end often, and put in, put in the place of another character, or taken away.
  const places = fc.oneof(fc.nat(), fc.integer({ min: -12, max: -1 }));
  const pieces = fc.oneof(
    fc.constantFrom("{", "}", '"', ",", ":", "1", "x", "\\", " ", "},", '},"', "{}", "}}", ",,", ""),
    name,
    rule.map((one) => JSON.stringify(one)),
  );
  const edits = fc.record({ at: places, piece: pieces, replaced: fc.nat(3) });
  const edited = (text: string, { at, piece, replaced }: { at: number; piece: string; replaced: number }): string => {
    const place = at < 0 ? Math.max(0, text.length + at) : at % text.length;
    return text.slice(0, place) + piece + text.slice(place + replaced);
  };
  /** The rules by name: JSON puts names that are numbers first, a text that was compared leaves them where they stood. */
  const outcome = (decode: () => ManifestText): unknown => {
    try {
      const { head, live: escaped } = decode();
      const text = plain(escaped);
      const rules = Object.entries(JSON.parse(text)).map(([key, one]) => `"${key}":${JSON.stringify(one)}`);
      // The next text is compared with this one rule by rule, so each stands there once and in one form only.
      expect(
        text
          .slice(1, -1)
          .split(/(?<=\}),(?=")/)
          .toSorted(),
      ).toEqual(rules.length === 0 ? [""] : rules.toSorted());
      return { ...head, live: JSON.parse(text) };
    } catch (error) {
      if (!(error instanceof CorruptRulesError)) throw error;
      return error.message;
    }
  };
  const sameAsAlone = (text: string, before: Record<string, LiveRule>): void => {
    const data = Buffer.from(JSON.stringify({ format: 1, payload: text }));
    const first = decodeManifestText(bytes(payloadOf(before, 1)));
    expect(outcome(() => decodeManifestText(data, first))).toEqual(outcome(() => decodeManifestText(data)));
  };

  test.prop([live, edits], { numRuns: 5_000 })("is refused where one that is read alone is", (rules, edit) => {
    sameAsAlone(edited(JSON.stringify(payloadOf(rules, 2)), edit), rules);
  });

  test.prop([pair, edits], { numRuns: 5_000 })(
    "is refused there also where other rules changed at the same time",
    ({ before, after }, edit) => {
      sameAsAlone(edited(JSON.stringify(payloadOf(after, 2)), edit), before);
    },
  );

  test.prop([pair, edits], { numRuns: 2_000 })("is refused there also where it was written in another way", ({ before, after }, edit) => {
    const first = decodeManifestText(bytes(payloadOf(before, 1)));
    const data = Buffer.from(edited(encodeManifest(payloadOf(after, 2)), edit));
    expect(outcome(() => decodeManifestText(data, first))).toEqual(outcome(() => decodeManifestText(data)));
  });

  test.prop([live.filter((rules) => Object.keys(rules).length > 0), fc.nat(), fc.nat()], { numRuns: 2_000 })(
    "is refused, or read in the same way, where a rule of it stands twice or elsewhere",
    (rules, from, to) => {
      const list = Object.entries(rules).map(([key, one]) => `"${key}":${JSON.stringify(one)}`);
      const again = list[from % list.length] ?? "";
      const text = JSON.stringify(payloadOf({}, 2)).replace("{}}", `{${list.toSpliced(to % (list.length + 1), 0, again).join()}}}`);
      sameAsAlone(text, rules);
    },
  );

  test.each([
    ["a comma after the last rule", (text: string) => text.replace(/\}\}\}$/, "},}}")],
    ["a comma before the first rule", (text: string) => text.replace('"live":{', '"live":{,')],
    ["two commas between rules", (text: string) => text.replace('},"b"', '},,"b"')],
    ["no comma between rules", (text: string) => text.replace('},"b"', '}"b"')],
    ["a blank between rules", (text: string) => text.replace('},"b"', '}, "b"')],
    ["a brace too many", (text: string) => `${text}}`],
    ["a brace too few", (text: string) => text.slice(0, -1)],
    ["a field after the live rules", (text: string) => text.replace(/\}$/, ',"more":{}}')],
    ["the live rules twice", (text: string) => text.replace(/\}$/, ',"live":{}}')],
    ["a rule within a rule", (text: string) => text.replace('"run":1', '"run":{"run":1}')],
    ["nothing after the first rule", (text: string) => text.replace(/,"b".*$/, "}}")],
  ])("with %s is read as one that is read alone", (_title, edit) => {
    const one: LiveRule = { run: 1, shareBp: 0, off: false, whenUnwatched: "hold" };
    const rules = { a: one, b: one, c: one };
    const text = edit(JSON.stringify(payloadOf(rules, 2)));
    expect(text).not.toBe(JSON.stringify(payloadOf(rules, 2)));
    sameAsAlone(text, rules);
  });
});

test("all rules of a text count as changed where there was none before", () => {
  const rules = payloadOf({ a: { run: 1, shareBp: 0, off: false, whenUnwatched: "hold" } }, 1).live;
  expect(allLive(liveText(rules))).toEqual({ changed: new Map(Object.entries(rules)), removed: [] });
});

test("a name that stands twice is not taken for two rollouts", () => {
  const one = '"a":{"run":1,"shareBp":0,"off":false,"whenUnwatched":"hold"}';
  const two = '"b":{"run":1,"shareBp":0,"off":false,"whenUnwatched":"hold"}';
  const head = '{"format":1,"epoch":10,"revision":2,"term":1,"issuedAtMs":5,"blobs":{},"live":{';
  const before = decodeManifestText(Buffer.from(JSON.stringify({ format: 1, payload: `${head}${one},${two}}}` })));
  const twice = Buffer.from(JSON.stringify({ format: 1, payload: `${head}${one},${two},${one.replace("0,", "500,")}}}` }));
  expect(Object.keys(JSON.parse(plain(decodeManifestText(twice, before).live)))).toEqual(["a", "b"]);
  expect(JSON.parse(plain(decodeManifestText(twice, before).live)).a.shareBp).toBe(500);
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

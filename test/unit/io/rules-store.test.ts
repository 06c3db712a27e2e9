import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { MAX_BLOBS, SUBJECTS } from "../../../src/contract/names.ts";
import type { ManifestPayload, StaticRules } from "../../../src/contract/rules.ts";
import { readRuleSet } from "../../../src/io/rules-reader.ts";
import { assemble, type BlobCache, decodeManifest, encodeBlobs, encodeManifest, isNewer } from "../../../src/io/rules-store.ts";
import { ruleOf } from "../../support/decide-inputs.ts";
import { createFakeLink } from "../../support/fake-link.ts";

const { rules, live } = ruleOf();
const payloadOf = (names: readonly string[], blobs: Record<string, string>): ManifestPayload => ({
  format: 1,
  epoch: 10,
  revision: 3,
  term: 1,
  issuedAtMs: 77,
  blobs,
  live: Object.fromEntries(names.map((name) => [name, live])),
});
const rulesOf = (names: readonly string[]): Record<string, StaticRules> => Object.fromEntries(names.map((name) => [name, rules]));
const bytes = (text: string | undefined): Uint8Array | undefined => (text === undefined ? undefined : Buffer.from(text));
const NAMES = Array.from({ length: 200 }, (_, index) => `rollout-${index}`);

describe("blobs", () => {
  test("are at most 64, however many rollouts there are", () => {
    const { blobs, contents } = encodeBlobs(rulesOf(NAMES));
    expect(Object.keys(blobs).length).toBeLessThanOrEqual(MAX_BLOBS);
    expect(contents.size).toBe(Object.keys(blobs).length);
  });

  test("stand under the sha256 of their own bytes", () => {
    for (const [hash, text] of encodeBlobs(rulesOf(NAMES)).contents) expect(createHash("sha256").update(text).digest("hex")).toBe(hash);
  });

  test("do not depend on the order of the rollouts", () => {
    expect(encodeBlobs(rulesOf(NAMES.toReversed()))).toEqual(encodeBlobs(rulesOf(NAMES)));
  });

  test("change in one place only when one rollout changes", () => {
    const before = encodeBlobs(rulesOf(NAMES)).blobs;
    const after = encodeBlobs({ ...rulesOf(NAMES), "rollout-7": { ...rules, salt: "other" } }).blobs;
    expect(Object.keys(after).filter((shard) => after[shard] !== before[shard])).toHaveLength(1);
  });
});

describe("a rule set", () => {
  test("comes out of manifest and blobs as it went in", async () => {
    const { blobs, contents } = encodeBlobs(rulesOf(NAMES));
    const payload = decodeManifest(Buffer.from(encodeManifest(payloadOf(NAMES, blobs))));
    const ruleSet = await assemble(payload, new Map(), (hash) => Promise.resolve(bytes(contents.get(hash))));
    expect(ruleSet).toEqual({
      format: 1,
      epoch: 10,
      revision: 3,
      rollouts: Object.fromEntries(NAMES.map((name) => [name, { rules, live }])),
    });
  });

  test("needs only the blobs that the reader lacks, and forgets those that nobody names", async () => {
    const cache: BlobCache = new Map();
    const fetched: string[] = [];
    const reader = (contents: Map<string, string>) => (hash: string) => {
      fetched.push(hash);
      return Promise.resolve(bytes(contents.get(hash)));
    };
    const first = encodeBlobs(rulesOf(NAMES));
    await assemble(payloadOf(NAMES, first.blobs), cache, reader(first.contents));
    fetched.length = 0;
    const second = encodeBlobs({ ...rulesOf(NAMES), "rollout-7": { ...rules, salt: "other" } });
    await assemble(payloadOf(NAMES, second.blobs), cache, reader(second.contents));
    expect(fetched).toHaveLength(1);
    expect([...cache.keys()].toSorted()).toEqual(Object.values(second.blobs).toSorted());
  });

  test("may hold rollouts with names that objects know already", async () => {
    const { blobs, contents } = encodeBlobs(rulesOf(["constructor"]));
    const ruleSet = await assemble(payloadOf(["constructor"], blobs), new Map(), (hash) => Promise.resolve(bytes(contents.get(hash))));
    expect(ruleSet.rollouts["constructor"]).toEqual({ rules, live });
    await expect(assemble(payloadOf(["constructor"], {}), new Map(), () => Promise.resolve(undefined))).rejects.toThrow(
      "the manifest serves constructor, but no blob of it holds its rules",
    );
  });

  test("is read from the store with the time at which it was issued, and is absent before the first", async () => {
    const { link, stored } = createFakeLink();
    expect(await readRuleSet(link)).toBeUndefined();
    const { blobs, contents } = encodeBlobs(rulesOf(["checkout"]));
    for (const [hash, text] of contents) stored.set(SUBJECTS.blob(hash), text);
    stored.set(SUBJECTS.manifest, encodeManifest(payloadOf(["checkout"], blobs)));
    expect(await readRuleSet(link)).toMatchObject({ issuedAtMs: 77, ruleSet: { revision: 3 } });
  });
});

describe("what is corrupt is said exactly", () => {
  const envelope = (payload: unknown): string => JSON.stringify({ format: 1, payload: JSON.stringify(payload) });
  test.each([
    ["", "the manifest is not JSON"],
    ['{"format":2,"payload":"{}"}', "the manifest does not fit its schema at format: "],
    ['{"format":1,"payload":"{"}', "the manifest's payload is not JSON"],
    [envelope({ ...payloadOf([], {}), revision: -1 }), "the manifest's payload does not fit its schema at revision: "],
    [
      envelope({ ...payloadOf([], {}), blobs: { "0": "short" } }),
      "the manifest's payload does not fit its schema at blobs.0: not a sha256 in hex",
    ],
  ])("%j", (text, problem) => {
    expect(() => decodeManifest(Buffer.from(text))).toThrow(problem);
  });

  test.each([
    ["missing", undefined, "is not in the store"],
    ["altered", "{}", "does not have its hash"],
  ])("a blob that is %s", async (_title, text, problem) => {
    const { blobs } = encodeBlobs(rulesOf(["checkout"]));
    await expect(assemble(payloadOf(["checkout"], blobs), new Map(), () => Promise.resolve(bytes(text)))).rejects.toThrow(problem);
  });

  test("a blob under its own hash that holds something else", async () => {
    const hash = createHash("sha256").update("[]").digest("hex");
    const read = assemble(payloadOf([], { "0": hash }), new Map(), () => Promise.resolve(bytes("[]")));
    await expect(read).rejects.toThrow(`the blob ${hash} does not fit its schema at `);
  });
});

test("a signed manifest is read like an unsigned one", () => {
  const signed = { ...JSON.parse(encodeManifest(payloadOf([], {}))), keyId: "k1", signature: "AAAA" };
  expect(decodeManifest(Buffer.from(JSON.stringify(signed))).revision).toBe(3);
});

test.each([
  [{ epoch: 1, revision: 2 }, undefined, true],
  [{ epoch: 1, revision: 2 }, { epoch: 1, revision: 1 }, true],
  [{ epoch: 1, revision: 2 }, { epoch: 1, revision: 2 }, false],
  [{ epoch: 2, revision: 0 }, { epoch: 1, revision: 9 }, true],
  [{ epoch: 1, revision: 9 }, { epoch: 2, revision: 0 }, false],
])("%j after %j is newer: %j", (next, current, newer) => {
  expect(isNewer(next, current)).toBe(newer);
});

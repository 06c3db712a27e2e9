import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SUBJECTS } from "../../../src/contract/names.ts";
import type { LiveRule, StaticRules } from "../../../src/contract/rules.ts";
import { seedOf } from "../../../src/core/decide/bucket.ts";
import { NO_RULES } from "../../../src/core/decide/compile.ts";
import { createLog } from "../../../src/io/log.ts";
import { decodeManifestText, encodeBlobs, encodeManifest } from "../../../src/io/rules-store.ts";
import { type CurrentRules, createCurrentRules } from "../../../src/sidecar/current-rules.ts";
import { createManifestFeed, type FeedParts, type ManifestFeed } from "../../../src/sidecar/manifest-feed.ts";
import { loadManifest } from "../../../src/sidecar/manifest-loader.ts";
import type { KeptRules } from "../../../src/sidecar/rules-disk.ts";
import { ruleOf } from "../../support/decide-inputs.ts";
import { createFakeLink, type FakeLink } from "../../support/fake-link.ts";

let fake: FakeLink;
let rules: CurrentRules;
let feed: ManifestFeed;

const start = (more: Partial<FeedParts> = {}): void => {
  fake = createFakeLink();
  rules = createCurrentRules(Date.now);
  feed = createManifestFeed(fake.link, { rules, log: createLog({ name: "test", level: "silent" }), ...more });
};
beforeEach(() => start());
afterEach(() => feed.stop());

const names = Array.from({ length: 100 }, (_, index) => `rollout-${index}`);
const rulesOf = (salts: Record<string, string> = {}): Record<string, StaticRules> =>
  Object.fromEntries(names.map((name) => [name, { ...ruleOf().rules, salt: salts[name] ?? name }]));
const liveOf = (served: readonly string[], shares: Record<string, number> = {}): Record<string, LiveRule> =>
  Object.fromEntries(served.map((name) => [name, { ...ruleOf().live, shareBp: shares[name] ?? 500 }]));

/** The manifest of these rules, without its blobs. */
const manifestOf = (revision: number, statics: Record<string, StaticRules>, live: Record<string, LiveRule>): Buffer =>
  Buffer.from(encodeManifest({ format: 1, epoch: 10, revision, term: 1, issuedAtMs: 1, blobs: encodeBlobs(statics).blobs, live }));

function publish(revision: number, statics: Record<string, StaticRules>, live: Record<string, LiveRule>): void {
  for (const [hash, text] of encodeBlobs(statics).contents) fake.stored.set(SUBJECTS.blob(hash), text);
  feed.offer(manifestOf(revision, statics, live));
}
const until = (revision: number): Promise<unknown> => vi.waitFor(() => expect(rules.ruleSet().revision).toBe(revision));

describe("a manifest that comes after another one", () => {
  test("fetches the one blob that changed, and keeps all other rollouts as they are", async () => {
    publish(1, rulesOf(), liveOf(names));
    await until(1);
    const before = rules.compiled();
    const asked = fake.asked.length;
    publish(2, rulesOf({ "rollout-7": "other" }), liveOf(names, { "rollout-9": 0 }));
    await until(2);
    const after = rules.compiled();
    expect(fake.asked.length - asked).toBe(1);
    expect(names.filter((name) => after.rollouts.get(name) !== before.rollouts.get(name))).toEqual(["rollout-7", "rollout-9"]);
    expect(after.rollouts.get("rollout-7")?.seed).toBe(seedOf("other"));
  });

  test("takes away what it serves no more, and brings it back without a fetch", async () => {
    publish(1, rulesOf(), liveOf(names));
    await until(1);
    publish(2, rulesOf(), liveOf(names.slice(1)));
    await until(2);
    expect(rules.compiled().rollouts.has("rollout-0")).toBe(false);
    const asked = fake.asked.length;
    publish(3, rulesOf(), liveOf(names));
    await until(3);
    expect([rules.compiled().rollouts.size, fake.asked.length - asked]).toEqual([100, 0]);
  });

  test("that serves a rollout whose rules went is refused whole", async () => {
    publish(1, rulesOf(), liveOf(names));
    await until(1);
    const { "rollout-3": _gone, ...others } = rulesOf();
    publish(2, others, liveOf(names, { "rollout-9": 0 }));
    await vi.waitFor(() => expect(rules.rejected().problem).toBe("the manifest serves rollout-3, but no blob of it holds its rules"));
    expect([rules.ruleSet().revision, rules.compiled().rollouts.get("rollout-9")?.live.shareBp]).toEqual([1, 500]);
    publish(3, others, liveOf(names.filter((name) => name !== "rollout-3")));
    await until(3);
    expect(rules.compiled().rollouts.size).toBe(99);
  });

  test("that overtakes one whose blob is late leads to its own rules", async () => {
    publish(1, rulesOf(), liveOf(names));
    await until(1);
    feed.offer(manifestOf(2, rulesOf({ "rollout-7": "late" }), liveOf(names.slice(5))));
    await vi.waitFor(() => expect(rules.rejected().count).toBe(1));
    publish(3, rulesOf({ "rollout-8": "other" }), liveOf(names.slice(1), { "rollout-9": 0 }));
    await until(3);
    const { rollouts } = rules.compiled();
    expect([
      rollouts.size,
      rollouts.get("rollout-7")?.seed,
      rollouts.get("rollout-8")?.seed,
      rollouts.get("rollout-9")?.live.shareBp,
    ]).toEqual([99, seedOf("rollout-7"), seedOf("other"), 0]);
  });

  test("finds the rules that another source put in force replaced whole", async () => {
    rules.offer({ epoch: 9, revision: 9, rollouts: { "rollout-0": ruleOf({ salt: "elsewhere" }), gone: ruleOf() } });
    publish(1, rulesOf(), liveOf(names));
    await until(1);
    expect([rules.compiled().rollouts.size, rules.compiled().rollouts.get("rollout-0")?.seed]).toEqual([100, seedOf("rollout-0")]);
  });
});

describe("rules that took force", () => {
  test("are kept in the bytes that were received, with the blobs that were fetched", async () => {
    const kept: KeptRules[] = [];
    start({
      keep: async (next) => {
        for (const hash of next.blobs) expect(await next.fetch(hash)).toBeDefined();
        kept.push(next);
      },
    });
    publish(1, rulesOf(), liveOf(names));
    await vi.waitFor(() => expect(kept).toHaveLength(1));
    expect(kept[0]?.manifest).toEqual(manifestOf(1, rulesOf(), liveOf(names)));
    // What was fetched for the rules is not fetched for the disk again.
    expect(fake.asked).toHaveLength(kept[0]?.blobs.length ?? 0);
  });

  test("and came from disk are what the first manifest is compared with", async () => {
    const { contents } = encodeBlobs(rulesOf());
    const fetch = (hash: string) => Promise.resolve(Buffer.from(contents.get(hash) ?? ""));
    const manifest = decodeManifestText(manifestOf(1, rulesOf(), liveOf(names)));
    const onDisk = await loadManifest(manifest, { loaded: undefined, inForce: NO_RULES }, { shelves: new Map(), fetch });
    start({ loaded: () => onDisk.loaded });
    rules.offer(onDisk.change);
    const before = rules.compiled();
    publish(2, rulesOf({ "rollout-7": "other" }), liveOf(names));
    await until(2);
    expect(fake.asked).toHaveLength(1);
    expect(names.filter((name) => rules.compiled().rollouts.get(name) !== before.rollouts.get(name))).toEqual(["rollout-7"]);
  });
});

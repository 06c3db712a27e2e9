import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { NO_RULES } from "../../../src/core/decide/compile.ts";
import { decide } from "../../../src/core/decide/decide.ts";
import { decodeManifestText, encodeBlobs, encodeManifest } from "../../../src/io/rules-store.ts";
import { encodeIndex } from "../../../src/io/segment-store.ts";
import type { CurrentRules } from "../../../src/sidecar/current-rules.ts";
import type { ManifestFeed } from "../../../src/sidecar/manifest-feed.ts";
import { loadManifest } from "../../../src/sidecar/manifest-loader.ts";
import type { KeptRules } from "../../../src/sidecar/rules-disk.ts";
import { factsOf, ruleOf } from "../../support/decide-inputs.ts";
import { createFakeFeed } from "../../support/fake-feed.ts";
import type { FakeLink } from "../../support/fake-link.ts";
import { cutUsers, manyUsers } from "../../support/segments.ts";

let fake: FakeLink;
let rules: CurrentRules;
let feed: ManifestFeed;
let kept: KeptRules[];

beforeEach(() => {
  ({ fake, rules, feed, kept } = createFakeFeed());
});
afterEach(() => feed.stop());

const target = { name: "testers", variant: "canary", when: { segment: "testers" } } as const;
const { rules: statics, live } = ruleOf({ targets: [target] }, { shareBp: 0 });
const USERS = manyUsers(40_000);

/** A manifest whose segments have these users; `lost` is a chunk that the store has not got. */
function manifestOf(revision: number, segments: Record<string, readonly string[]>, lost = -1): Buffer {
  const { blobs, contents } = encodeBlobs({ checkout: statics });
  for (const [hash, text] of contents) fake.stored.set(SUBJECTS.blob(hash), text);
  const hashes: Record<string, string> = {};
  for (const [name, users] of Object.entries(segments)) {
    const { plan, chunks } = cutUsers(name, users);
    const index = encodeIndex(plan);
    hashes[name] = index.hash;
    fake.stored.set(SUBJECTS.blob(index.hash), index.text);
    for (const [at, [hash, bytes]] of [...chunks].entries()) if (at !== lost) fake.stored.set(SUBJECTS.blob(hash), bytes);
  }
  return Buffer.from(
    encodeManifest({ format: 1, epoch: 10, revision, term: 1, issuedAtMs: 1, blobs, segments: hashes, live: { checkout: live } }),
  );
}
const until = (revision: number): Promise<unknown> => vi.waitFor(() => expect(rules.ruleSet().revision).toBe(revision), 10_000);
const reasonOf = (user: string): string => decide(rules.compiled(), factsOf({ headers: [["x-user-id", user]] })).reason;

describe("a manifest with a segment", () => {
  test("fetches its chunks, and after one more user one chunk and the index", async () => {
    feed.offer(manifestOf(1, { testers: USERS, staff: ["bob"] }));
    await until(1);
    // The rules, two indexes, and 40 chunks cut by six bits, with the one of the staff.
    expect(fake.asked).toHaveLength(1 + 2 + 64 + 1);
    expect([reasonOf("user-39999"), reasonOf("one-more")]).toEqual(["target", "share"]);
    const before = rules.compiled();
    feed.offer(manifestOf(2, { testers: [...USERS, "one-more"], staff: ["bob"] }));
    await until(2);
    const after = rules.compiled();
    expect(fake.asked).toHaveLength(68 + 2);
    expect([reasonOf("user-39999"), reasonOf("one-more")]).toEqual(["target", "target"]);
    expect(after.rollouts.get("checkout")).toBe(before.rollouts.get("checkout"));
    expect(after.segments.get("staff")).toBe(before.segments.get("staff"));
    const tables = [before, after].map(({ segments }) => segments.get("testers")?.chunks ?? []);
    expect(tables[1]?.filter((table, chunk) => table !== tables[0]?.[chunk])).toHaveLength(1);
  });

  test("is kept with all that it is made of, which a start from disk needs no server for", async () => {
    feed.offer(manifestOf(1, { testers: USERS }));
    await vi.waitFor(() => expect(kept).toHaveLength(1));
    const [{ manifest, blobs, fetch }] = kept as [KeptRules];
    expect(blobs).toHaveLength(1 + 1 + 64);
    const held = new Map(await Promise.all(blobs.map(async (hash) => [hash, await fetch(hash)] as const)));
    const before = { loaded: undefined, inForce: NO_RULES };
    const read = await loadManifest(decodeManifestText(manifest), before, { shelves: new Map(), fetch: async (hash) => held.get(hash) });
    expect(read.change.segments?.get("testers")?.chunks).toEqual(rules.compiled().segments.get("testers")?.chunks);
  });

  test("that is gone takes its users away, and whoever asks for it is told", async () => {
    feed.offer(manifestOf(1, { testers: ["ann"] }));
    await until(1);
    feed.offer(manifestOf(2, {}));
    await until(2);
    expect([rules.compiled().segments.size, reasonOf("ann")]).toEqual([0, "share"]);
  });

  test("whose chunk is late asks the segment as it was until it is there, says so, and fetches nothing twice", async () => {
    feed.offer(manifestOf(1, { testers: ["ann"] }));
    await until(1);
    const { chunks } = cutUsers("testers", USERS);
    const [lost, bytes] = [...chunks][3] ?? ["", Buffer.alloc(0)];
    feed.offer(manifestOf(2, { testers: USERS }, 3));
    await vi.waitFor(() => expect(rules.rejected().problem).toBe(`blob ${lost} is not in the store`));
    expect([rules.ruleSet().revision, reasonOf("ann"), reasonOf("user-1")]).toEqual([2, "target", "share"]);
    const fetched = new Set(fake.asked);
    fake.stored.set(SUBJECTS.blob(lost), bytes);
    await vi.waitFor(() => expect(reasonOf("user-1")).toBe("target"), 10_000);
    const again = fake.asked.slice(fetched.size).filter((subject) => chunks.has(subject.slice(SUBJECTS.blob("").length)));
    expect(new Set(again).has(SUBJECTS.blob(lost))).toBe(true);
    expect(reasonOf("ann")).toBe("share");
  });

  const { plan } = cutUsers("testers", ["ann"]);
  const whole = encodeIndex(plan);
  test.each([
    {
      title: "is that of another",
      index: encodeIndex({ ...plan, name: "staff" }),
      chunk: "",
      problem: /^index \w+ of segment testers is that of staff$/,
    },
    {
      title: "is none",
      index: { ...whole, hash: encodeIndex({ ...plan, chunkBits: 9 }).hash, text: encodeIndex({ ...plan, chunkBits: 9 }).text },
      chunk: "",
      problem: /does not fit its schema at chunkBits/,
    },
    { title: "names a chunk that was altered", index: whole, chunk: "altered!", problem: /^blob \w+ does not have its hash$/ },
  ])("whose index $title is refused", async ({ index, chunk, problem }) => {
    fake.stored.set(SUBJECTS.blob(index.hash), index.text);
    for (const hash of Object.values(plan.chunks)) fake.stored.set(SUBJECTS.blob(hash), chunk);
    const payload = {
      format: 1 as const,
      epoch: 10,
      revision: 1,
      term: 1,
      issuedAtMs: 1,
      blobs: {},
      segments: { testers: index.hash },
      live: {},
    };
    feed.offer(Buffer.from(encodeManifest(payload)));
    await vi.waitFor(() => expect(rules.rejected().problem).toMatch(problem));
  });
});

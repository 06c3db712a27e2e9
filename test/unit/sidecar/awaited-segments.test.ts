import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Condition } from "../../../src/contract/conditions.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import type { LiveRule, StaticRules } from "../../../src/contract/rules.ts";
import { decide } from "../../../src/core/decide/decide.ts";
import { encodeBlobs, encodeManifest } from "../../../src/io/rules-store.ts";
import { encodeIndex } from "../../../src/io/segment-store.ts";
import type { CurrentRules } from "../../../src/sidecar/current-rules.ts";
import type { ManifestFeed } from "../../../src/sidecar/manifest-feed.ts";
import type { KeptRules } from "../../../src/sidecar/rules-disk.ts";
import { factsOf, ruleOf } from "../../support/decide-inputs.ts";
import { createFakeFeed } from "../../support/fake-feed.ts";
import { type FakeLink, noAnswer } from "../../support/fake-link.ts";
import { cutUsers } from "../../support/segments.ts";

let fake: FakeLink;
let rules: CurrentRules;
let feed: ManifestFeed;
let kept: KeptRules[];

beforeEach(() => {
  ({ fake, rules, feed, kept } = createFakeFeed());
});
afterEach(() => feed.stop());

/** A rollout of a host of its own, whose canary is for who meets this condition, and for a share. */
interface Asking {
  readonly when?: Condition;
  readonly live?: Partial<LiveRule>;
}

const staticsOf = (name: string, { when }: Asking): StaticRules =>
  ruleOf({
    match: { hosts: [`${name}.example`], paths: [{ prefix: "/" }] },
    targets: when === undefined ? [] : [{ name: "testers", variant: "canary", when }],
  }).rules;

/** Publishes these rollouts and segments; all of their blobs but the segments' are in the store. */
function publish(revision: number, rollouts: Record<string, Asking>, segments: Record<string, readonly string[]>): void {
  const all = Object.entries(rollouts);
  const { blobs, contents } = encodeBlobs(Object.fromEntries(all.map(([name, asking]) => [name, staticsOf(name, asking)])));
  for (const [hash, text] of contents) fake.stored.set(SUBJECTS.blob(hash), text);
  const live = Object.fromEntries(all.map(([name, asking]) => [name, { ...ruleOf({}, { shareBp: 0 }).live, ...asking.live }]));
  const named = Object.fromEntries(Object.entries(segments).map(([name, users]) => [name, encodeIndex(cutUsers(name, users).plan).hash]));
  const payload = { format: 1, epoch: 10, revision, term: 1, issuedAtMs: 1, blobs, segments: named, live } as const;
  feed.offer(Buffer.from(encodeManifest(payload)));
}

/** Puts a segment into the store. */
function store(name: string, users: readonly string[]): void {
  const { plan, chunks } = cutUsers(name, users);
  const index = encodeIndex(plan);
  fake.stored.set(SUBJECTS.blob(index.hash), index.text);
  for (const [hash, bytes] of chunks) fake.stored.set(SUBJECTS.blob(hash), bytes);
}

/** Lets the fetch of a segment's chunks hang until `release`. */
function hang(name: string, users: readonly string[]): { release(): void; hasBegun(): boolean } {
  store(name, users);
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { chunks } = cutUsers(name, users);
  for (const [hash, bytes] of chunks) fake.stored.set(SUBJECTS.blob(hash), () => released.then(() => bytes));
  return { release, hasBegun: () => fake.asked.includes(SUBJECTS.blob([...chunks.keys()][0] ?? "")) };
}

const reasonOf = (host: string, user: string): string =>
  decide(rules.compiled(), factsOf({ host: `${host}.example`, headers: [["x-user-id", user]] })).reason;
/** The revision in force, and the one that receipts tell. */
const revisions = (): readonly number[] => [rules.compiled().revision, rules.ruleSet().revision];
const until = (inForce: number, told: number): Promise<unknown> => vi.waitFor(() => expect(revisions()).toEqual([inForce, told]));

const testers = { when: { segment: "testers" } };
const SHARED = { live: { shareBp: 10_000 } };

test("while a segment cannot be had, blobs and chunks that nothing names any more are not held", async () => {
  const version = (user: string): Asking => ({ when: user === "ann" ? { any: [testers.when] } : testers.when });
  for (const [index, user] of ["ann", "ben", "ann"].entries()) {
    store("testers", [user]);
    publish(index + 1, { search: version(user) }, { lost: ["dora"], testers: [user] });
    await vi.waitFor(() => expect(reasonOf("search", user)).toBe("target"));
  }
  const { blobs } = encodeBlobs({ search: staticsOf("search", version("ann")) });
  const hashes = [...Object.values(blobs), ...cutUsers("testers", ["ann"]).chunks.keys()];
  expect(hashes.map((hash) => fake.asked.filter((subject) => subject === SUBJECTS.blob(hash)).length)).toEqual([2, 2]);
});

describe("while a segment's new version is fetched", () => {
  beforeEach(async () => {
    store("testers", ["ann"]);
    publish(1, { search: testers, other: SHARED }, { testers: ["ann"] });
    await until(1, 1);
  });

  test("a rollback takes force, the segment is asked as it was, and then as it is under the newest revision", async () => {
    const fetch = hang("testers", ["ben"]);
    publish(2, { search: testers, other: SHARED }, { testers: ["ben"] });
    await vi.waitFor(() => expect(fetch.hasBegun()).toBe(true));
    publish(3, { search: testers, other: { live: { shareBp: 0, off: true } } }, { testers: ["ben"] });
    await until(3, 3);
    expect([reasonOf("other", "ann"), reasonOf("search", "ann"), reasonOf("search", "ben")]).toEqual(["off", "target", "share"]);
    fetch.release();
    await vi.waitFor(() => expect([reasonOf("search", "ann"), reasonOf("search", "ben")]).toEqual(["share", "target"]));
    expect([...revisions(), reasonOf("other", "ann")]).toEqual([3, 3, "off"]);
  });

  test("only rules that are whole are kept for the next start", async () => {
    const fetch = hang("testers", ["ben"]);
    publish(2, { search: testers, other: SHARED }, { testers: ["ben"] });
    await until(2, 2);
    expect(kept).toHaveLength(1);
    fetch.release();
    await vi.waitFor(() => expect(kept).toHaveLength(2));
    expect(kept[1]?.blobs).toContain(encodeIndex(cutUsers("testers", ["ben"]).plan).hash);
  });

  test("a newer version overtakes it, and what comes late of the older one changes nothing", async () => {
    const fetch = hang("testers", ["ben"]);
    publish(2, { search: testers, other: SHARED }, { testers: ["ben"] });
    await vi.waitFor(() => expect(fetch.hasBegun()).toBe(true));
    store("testers", ["cy"]);
    publish(3, { search: testers, other: SHARED }, { testers: ["cy"] });
    await vi.waitFor(() => expect(reasonOf("search", "cy")).toBe("target"));
    fetch.release();
    // The next change passes through everything that could still be under way.
    publish(4, { search: testers, other: SHARED }, { testers: ["cy"] });
    await until(4, 4);
    expect([reasonOf("search", "ben"), reasonOf("search", "cy")]).toEqual(["share", "target"]);
  });

  test("another segment that is there does not wait for it", async () => {
    const rollouts = { search: { when: { any: [{ segment: "testers" }, { segment: "staff" }] } } };
    store("staff", ["dora"]);
    publish(2, rollouts, { staff: ["dora"], testers: ["ben"] });
    await vi.waitFor(() => expect(reasonOf("search", "dora")).toBe("target"));
    expect(reasonOf("search", "ann")).toBe("target");
    await vi.waitFor(() => expect(rules.rejected().problem).toMatch(/^blob \w+ is not in the store$/));
  });

  test("seeing its manifest again tries anew, and does not say that the problem is over", async () => {
    const { hash } = encodeIndex(cutUsers("testers", ["ben"]).plan);
    publish(2, { search: testers }, { testers: ["ben"] });
    await vi.waitFor(() => expect(rules.rejected().problem).toBe(`blob ${hash} is not in the store`));
    const { count } = rules.rejected();
    publish(2, { search: testers }, { testers: ["ben"] });
    await vi.waitFor(() => expect(rules.rejected()).toEqual({ count: count + 1, problem: `blob ${hash} is not in the store` }));
    store("testers", ["ben"]);
    await vi.waitFor(() => expect(reasonOf("search", "ben")).toBe("target"), 5_000);
    expect(rules.rejected().problem).toBeUndefined();
  });

  test("NATS that does not answer is asked again", async () => {
    store("testers", ["ben"]);
    const { hash, text } = encodeIndex(cutUsers("testers", ["ben"]).plan);
    let asked = 0;
    fake.stored.set(SUBJECTS.blob(hash), () => (asked++ === 0 ? noAnswer() : text));
    publish(2, { search: testers }, { testers: ["ben"] });
    await vi.waitFor(() => expect(reasonOf("search", "ben")).toBe("target"), 5_000);
    expect([asked, rules.rejected().count]).toEqual([2, 0]);
  });
});

describe("while a segment is fetched for the first time", () => {
  const noVip = { when: { not: { segment: "vip" } } };

  test("rollouts that ask for it are not there, all others are, and receipts do not say that all is obeyed", async () => {
    const fetch = hang("vip", ["ann"]);
    publish(1, { search: noVip, other: SHARED }, { vip: ["ann"] });
    await until(1, 0);
    expect([reasonOf("search", "ben"), reasonOf("other", "ben")]).toEqual(["no rollout", "share"]);
    expect(rules.awaited()).toEqual({ segments: ["vip"], rollouts: ["search"] });
    publish(2, { search: noVip, other: { live: { off: true } } }, { vip: ["ann"] });
    await until(2, 0);
    expect([reasonOf("search", "ben"), reasonOf("other", "ben")]).toEqual(["no rollout", "off"]);
    fetch.release();
    await until(2, 2);
    expect([reasonOf("search", "ben"), reasonOf("search", "ann")]).toEqual(["target", "share"]);
    expect(rules.awaited()).toEqual({ segments: [], rollouts: [] });
  });

  test("a rollout whose new rules ask for it stays as it was, but goes off at once, and on again with the segment", async () => {
    publish(1, { search: SHARED }, {});
    await until(1, 1);
    const fetch = hang("vip", ["ann"]);
    publish(2, { search: { ...noVip, live: { run: 2 } } }, { vip: ["ann"] });
    await until(2, 1);
    expect(decide(rules.compiled(), factsOf({ host: "search.example", headers: [["x-user-id", "ben"]] }))).toMatchObject({
      reason: "share",
      run: 1,
    });
    publish(3, { search: { ...noVip, live: { run: 3, off: true } } }, { vip: ["ann"] });
    await until(3, 3);
    expect(reasonOf("search", "ben")).toBe("off");
    publish(4, { search: { ...noVip, live: { run: 4 } } }, { vip: ["ann"] });
    await until(4, 3);
    expect(reasonOf("search", "ben")).toBe("off");
    fetch.release();
    await until(4, 4);
    expect([reasonOf("search", "ben"), reasonOf("search", "ann")]).toEqual(["target", "share"]);
  });

  test("a rollout that asked for it when nobody had named it goes on as it does", async () => {
    publish(1, { search: testers }, {});
    await until(1, 1);
    const fetch = hang("testers", ["ann"]);
    publish(2, { search: { ...testers, live: { shareBp: 10_000 } } }, { testers: ["ann"] });
    await until(2, 2);
    // And is not known, so that not to be in it is not known either.
    expect(reasonOf("search", "ann")).toBe("share");
    fetch.release();
    await vi.waitFor(() => expect(reasonOf("search", "ann")).toBe("target"));
  });

  test("a rollout that waits and is gone does not come back", async () => {
    const fetch = hang("vip", ["ann"]);
    publish(1, { search: noVip, other: SHARED }, { vip: ["ann"] });
    await until(1, 0);
    publish(2, { other: SHARED }, { vip: ["ann"] });
    await until(2, 2);
    fetch.release();
    publish(3, { other: SHARED }, {});
    await until(3, 3);
    expect(reasonOf("search", "ben")).toBe("no rollout");
  });

  test("what nobody names any more is waited for by nobody", async () => {
    hang("vip", ["ann"]);
    publish(1, { search: noVip }, { vip: ["ann"] });
    await until(1, 0);
    publish(2, { search: noVip }, {});
    await until(2, 2);
    // And is not known, so that not to be in it is not known either.
    expect(reasonOf("search", "ann")).toBe("share");
  });
});

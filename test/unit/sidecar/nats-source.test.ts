import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { createLog } from "../../../src/io/log.ts";
import { encodeBlobs, encodeManifest } from "../../../src/io/rules-store.ts";
import { type Beat, createBeat } from "../../../src/sidecar/beat.ts";
import { type CurrentRules, createCurrentRules } from "../../../src/sidecar/current-rules.ts";
import { type NatsSource, startNatsSource } from "../../../src/sidecar/nats-source.ts";
import { ruleOf } from "../../support/decide-inputs.ts";
import { createFakeLink, type FakeLink, noAnswer } from "../../support/fake-link.ts";

let fake: FakeLink;
let rules: CurrentRules;
let beat: Beat;
let source: NatsSource;
let terms: number;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  const clock = { nowMs: () => Date.now(), monotonicMs: () => Date.now() };
  fake = createFakeLink();
  rules = createCurrentRules(clock.nowMs);
  beat = createBeat(clock);
  terms = 0;
  const onNewTerm = (): void => {
    terms += 1;
  };
  source = startNatsSource(fake.link, {
    rules,
    beat,
    log: createLog({ name: "test", level: "silent" }),
    onNewTerm,
    onKill: () => undefined,
  });
});
afterEach(() => {
  source.stop();
  vi.useRealTimers();
});

const PUSHED = SUBJECTS.push(SUBJECTS.manifest);
const LEASE = SUBJECTS.push(SUBJECTS.lease);
const { rules: staticRules } = ruleOf();
const { blobs, contents } = encodeBlobs({ checkout: staticRules });

function storeBlobs(): void {
  for (const [hash, text] of contents) fake.stored.set(SUBJECTS.blob(hash), text);
}

const manifest = (revision: number, shareBp = 500, named = blobs): string =>
  encodeManifest({
    format: 1,
    epoch: 10,
    revision,
    term: 1,
    issuedAtMs: 1,
    blobs: named,
    live: { checkout: { run: revision, shareBp, off: false, whenUnwatched: "stable" } },
  });

const lease = (count: number, renewedAtMs = Date.now(), term = 1): string =>
  JSON.stringify({ format: 1, holder: "c", term, beat: count, renewedAtMs });

/** Lets time pass, and what waits for answers or turns of the event loop go on. */
async function settle(passedMs = 0): Promise<void> {
  await source.settled();
  await vi.advanceTimersByTimeAsync(passedMs);
  await source.settled();
}

describe("rules by push", () => {
  test("take force, and what changed since in shares needs no further fetch", async () => {
    storeBlobs();
    fake.push(PUSHED, manifest(1));
    await settle();
    expect(rules.ruleSet().revision).toBe(1);
    const asked = fake.asked.length;
    fake.push(PUSHED, manifest(2, 0));
    await settle();
    expect([rules.compiled().rollouts.get("checkout")?.live.shareBp, fake.asked.length - asked]).toEqual([0, 0]);
  });

  test("that come in a burst end at the newest, whatever their order", async () => {
    storeBlobs();
    for (const revision of [3, 1, 5, 4, 2]) fake.push(PUSHED, manifest(revision));
    await settle();
    expect([rules.ruleSet().revision, rules.rejected().count]).toEqual([5, 0]);
  });

  test("whose blob is not there yet are tried again, and counted once", async () => {
    fake.push(PUSHED, manifest(1));
    await settle(2_000);
    expect([rules.ruleSet().revision, rules.rejected().count]).toEqual([0, 1]);
    storeBlobs();
    await settle(500);
    expect([rules.ruleSet().revision, rules.rejected()]).toEqual([1, { count: 1, problem: undefined }]);
  });

  test("that NATS does not give at once are no fault of the rules", async () => {
    const hash = Object.values(blobs)[0] ?? "";
    fake.stored.set(SUBJECTS.blob(hash), noAnswer);
    fake.push(PUSHED, manifest(1));
    await settle();
    expect(rules.rejected().count).toBe(0);
    storeBlobs();
    await settle(500);
    expect(rules.ruleSet().revision).toBe(1);
  });

  test("of a blob that is not what its hash says are refused", async () => {
    const hash = Object.values(blobs)[0] ?? "";
    fake.stored.set(SUBJECTS.blob(hash), "altered");
    fake.push(PUSHED, manifest(1));
    await settle();
    expect([rules.ruleSet().revision, rules.rejected().problem]).toEqual([0, `blob ${hash} does not have its hash`]);
  });

  test("that are corrupt stay a problem until the good ones are seen again", async () => {
    storeBlobs();
    fake.push(PUSHED, manifest(1));
    await settle();
    fake.push(PUSHED, '{"format":2}');
    await settle();
    expect([rules.ruleSet().revision, rules.rejected().count, rules.rejected().problem === undefined]).toEqual([1, 1, false]);
    fake.push(PUSHED, manifest(1));
    await settle();
    expect(rules.rejected().problem).toBeUndefined();
  });
});

describe("repair", () => {
  test("finds within 16 s what no push told", async () => {
    storeBlobs();
    fake.stored.set(SUBJECTS.manifest, manifest(4));
    await settle(16_000);
    expect(rules.ruleSet().revision).toBe(4);
  });

  test("never steps back to what a lagging replica gives", async () => {
    storeBlobs();
    fake.push(PUSHED, manifest(5));
    fake.stored.set(SUBJECTS.manifest, manifest(4, 10_000));
    await source.repair();
    await settle();
    expect([rules.ruleSet().revision, rules.rejected().count]).toEqual([5, 0]);
  });

  test("keeps the rules while NATS does not answer, and ends with the source", async () => {
    storeBlobs();
    fake.push(PUSHED, manifest(5));
    await settle();
    for (const subject of [SUBJECTS.lease, SUBJECTS.manifest]) fake.stored.set(subject, noAnswer);
    await source.repair();
    expect([rules.ruleSet().revision, rules.rejected().count]).toEqual([5, 0]);
    source.stop();
    const asked = fake.asked.length;
    await settle(60_000);
    fake.push(PUSHED, manifest(6));
    await settle();
    expect([fake.asked.length - asked, rules.ruleSet().revision]).toEqual([0, 5]);
  });
});

describe("the lease", () => {
  test("that is pushed is a beat", () => {
    fake.push(LEASE, lease(1, 0));
    expect(beat.ageMs()).toBe(0);
  });

  test("that is found in the store is as old as it says", async () => {
    fake.stored.set(SUBJECTS.lease, lease(1, 1_000_000 - 42_000));
    await source.repair();
    expect(beat.ageMs()).toBe(42_000);
  });

  test("that does not exist beside rules leaves them unwatched from now on", async () => {
    storeBlobs();
    await source.repair();
    expect(beat.ageMs()).toBeUndefined();
    fake.stored.set(SUBJECTS.manifest, manifest(1));
    await source.repair();
    vi.setSystemTime(1_031_000);
    expect(beat.ageMs()).toBe(31_000);
  });

  test("that cannot be read is no beat and no end of the next ones", () => {
    fake.push(LEASE, lease(1));
    fake.push(LEASE, "corrupt");
    vi.setSystemTime(1_003_000);
    expect(beat.ageMs()).toBe(3_000);
    fake.push(LEASE, lease(2));
    expect(beat.ageMs()).toBe(0);
  });

  test("of another term is told, once", () => {
    for (const count of [1, 2]) fake.push(LEASE, lease(count));
    for (const count of [3, 4]) fake.push(LEASE, lease(count, Date.now(), 2));
    expect(terms).toBe(2);
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FailingUsersMessageSchema } from "../../../src/contract/failing-users.ts";
import { countsOf, keyHash, readSketch } from "../../../src/core/judge/key-sketch.ts";
import { createLog } from "../../../src/io/log.ts";
import { type CurrentRules, createCurrentRules } from "../../../src/sidecar/current-rules.ts";
import { createFailingUsers, type FailingUsers } from "../../../src/sidecar/failing-users.ts";
import { type FailingUsersSender, startFailingUsersSender } from "../../../src/sidecar/failing-users-sender.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { createFakeLink, type FakeLink } from "../../support/fake-link.ts";

let fake: FakeLink;
let failing: FailingUsers;
let rules: CurrentRules;
let sender: FailingUsersSender;

/** Pauses of the work so far, and what happens in the next ones. */
let pauses: number;
let meanwhile: (() => void)[];
const log = createLog({ name: "test", level: "silent" });
const slices = async (): Promise<void> => {
  pauses += 1;
  await Promise.resolve();
  meanwhile.shift()?.();
};

beforeEach(() => {
  pauses = 0;
  meanwhile = [];
  vi.useFakeTimers({ now: 1_000_000 });
  fake = createFakeLink();
  rules = createCurrentRules(Date.now);
  rules.offer(ruleSetOf({ checkout: ruleOf({}, { shareBp: 500 }) }));
  failing = createFailingUsers({ nowMs: Date.now, standingOf: () => "under way", onOverflow: () => undefined });
  sender = startFailingUsersSender({ id: "s1", link: fake.link, rules, failing, log, slices });
});
afterEach(async () => {
  await sender.stop();
  vi.useRealTimers();
});

const fail = (bucket: number, rollout = "checkout", run = 2): void => failing.failed({ rollout, run, variant: "canary", bucket });
const message = (index: number) => FailingUsersMessageSchema.parse(JSON.parse(fake.published[index]?.text ?? ""));
const runsIn = (index: number) => message(index).runs.map(({ rollout, run }) => `${rollout} ${run}`);

describe("failing users are told", () => {
  test("within two seconds while a canary is live, and only when something changed", async () => {
    fail(7);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fake.published.map(({ subject }) => subject)).toEqual(["serin.failing.s1"]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(fake.published).toHaveLength(1);
    fail(7);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fake.published).toHaveLength(2);
  });

  test("within five seconds while none is", async () => {
    rules.replace(ruleSetOf({ checkout: ruleOf({}, { off: true }) }));
    await vi.advanceTimersByTimeAsync(2_000);
    fail(7);
    await vi.advanceTimersByTimeAsync(1_900);
    expect(fake.published).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(fake.published).toHaveLength(1);
  });

  test("each part whole, with the begin of the count", async () => {
    for (const bucket of [7, 8, 7]) fail(bucket);
    await vi.advanceTimersByTimeAsync(2_000);
    fail(9);
    await vi.advanceTimersByTimeAsync(2_000);
    const [part] = message(1).runs ?? [];
    expect(message(1)).toMatchObject({ format: 1, startedAtMs: 1_000_000, histories: [] });
    expect(part && countsOf(readSketch(part.users))).toEqual(
      new Map([7, 8, 9].map((bucket) => [keyHash(bucket), bucket === 7 ? 2 : 1] as const).toSorted(([a], [b]) => a - b)),
    );
  });

  test("in parts that changed, and in all of them to a new leader", async () => {
    fail(7);
    fail(7, "search", 5);
    await vi.advanceTimersByTimeAsync(2_000);
    fail(8);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([runsIn(0), runsIn(1)]).toEqual([["checkout 2", "search 5"], ["checkout 2"]]);
    sender.resend();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(runsIn(2)).toEqual(["checkout 2", "search 5"]);
  });

  test("less often where very many fail", async () => {
    for (let bucket = 0; bucket < 300; bucket += 1) fail(bucket);
    await vi.advanceTimersByTimeAsync(2_000);
    fail(300);
    await vi.advanceTimersByTimeAsync(1_900);
    expect(fake.published).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(fake.published).toHaveLength(2);
  });

  test("at once where evidence of their rollout is about to count them, and not a second time", async () => {
    fail(7);
    fail(8, "search");
    sender.tell(["checkout", "cart"]);
    sender.tell(["checkout"]);
    expect([fake.published.length, runsIn(0)]).toEqual([1, ["checkout 2"]]);
    fail(9);
    sender.tell(["checkout"]);
    expect(message(1).runs[0]?.users.steps).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([fake.published.length, runsIn(2)]).toEqual([3, ["search 2"]]);
  });

  test("at once only where they are few, and in one message", async () => {
    for (let bucket = 0; bucket < 257; bucket += 1) fail(bucket, "search");
    for (let rollout = 0; rollout < 100; rollout += 1) for (let bucket = 0; bucket < 256; bucket += 1) fail(bucket, `rollout-${rollout}`);
    sender.tell(["search", ...Array.from({ length: 100 }, (_, index) => `rollout-${index}`)]);
    expect(fake.published).toHaveLength(1);
    expect(fake.published[0]?.text.length).toBeLessThan(128 * 1_024);
    expect(runsIn(0)).not.toContain("search 2");
    await vi.advanceTimersByTimeAsync(4_000);
    expect(new Set(fake.published.flatMap((_, index) => runsIn(index))).size).toBe(101);
  });

  test("never after what was told of them in the meantime", async () => {
    for (let rollout = 0; rollout < 3; rollout += 1) fail(7, `rollout-${rollout}`);
    meanwhile.push(() => {
      fail(8, "rollout-0");
      sender.tell(["rollout-0"]);
    });
    await vi.advanceTimersByTimeAsync(2_000);
    expect([runsIn(0), runsIn(1)]).toEqual([["rollout-0 2"], ["rollout-1 2", "rollout-2 2"]]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fake.published).toHaveLength(2);
  });

  test("not at once while NATS is gone", () => {
    Object.assign(fake.link.connection, { isClosed: () => true });
    fail(7);
    sender.tell(["checkout"]);
    expect(fake.published).toHaveLength(0);
  });

  test("in messages that NATS takes, however many fail", async () => {
    for (let rollout = 0; rollout < 150; rollout += 1) {
      for (let bucket = 0; bucket < 1_100; bucket += 1) fail(bucket, `rollout-${rollout}`);
    }
    await vi.advanceTimersByTimeAsync(2_000);
    expect(Math.max(...fake.published.map(({ text }) => text.length))).toBeLessThan(1_024 * 1_024);
    expect(new Set(fake.published.flatMap((_, index) => runsIn(index))).size).toBe(150);
  });

  test("with the next message when they could not be sent", async () => {
    const { publish } = fake.link.connection;
    const refuse = (): never => {
      throw new Error("too large");
    };
    Object.assign(fake.link.connection, { publish: refuse });
    fail(7);
    await vi.advanceTimersByTimeAsync(2_000);
    Object.assign(fake.link.connection, { publish });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(runsIn(0)).toEqual(["checkout 2"]);
  });

  test("at the stop, and no more after it", async () => {
    fail(7);
    await sender.stop();
    expect(fake.published).toHaveLength(1);
    fail(8);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fake.published).toHaveLength(1);
  });

  test("with a pause after each part, and what changes meanwhile with the next message", async () => {
    for (let rollout = 0; rollout < 100; rollout += 1) fail(7, `rollout-${rollout}`);
    meanwhile.push(() => fail(8, "rollout-0"));
    await vi.advanceTimersByTimeAsync(2_000);
    expect([fake.published.length, runsIn(0).length, pauses]).toEqual([1, 100, 100]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([runsIn(1), message(1).runs[0]?.users.steps.length]).toEqual([["rollout-0 2"], 2]);
  });

  test("in full also to a leader that came while they were told", async () => {
    for (let rollout = 0; rollout < 150; rollout += 1) for (let bucket = 0; bucket < 1_000; bucket += 1) fail(bucket, `rollout-${rollout}`);
    let before = 0;
    meanwhile = Array.from({ length: 20 }, () => () => undefined);
    meanwhile.push(() => {
      before = fake.published.length;
      sender.resend();
    });
    await vi.advanceTimersByTimeAsync(8_000);
    const afterwards = fake.published.flatMap((_, index) => (index < before ? [] : runsIn(index)));
    expect([before > 0, new Set(afterwards).size]).toEqual([true, 150]);
  });
});

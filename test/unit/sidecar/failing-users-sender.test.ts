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

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  fake = createFakeLink();
  rules = createCurrentRules(Date.now);
  rules.offer(ruleSetOf({ checkout: ruleOf({}, { shareBp: 500 }) }));
  failing = createFailingUsers({ nowMs: Date.now, standingOf: () => "under way", onOverflow: () => undefined });
  sender = startFailingUsersSender({ id: "s1", link: fake.link, rules, failing, log: createLog({ name: "test", level: "silent" }) });
});
afterEach(() => {
  sender.stop();
  vi.useRealTimers();
});

const fail = (bucket: number, rollout = "checkout", run = 2): void => failing.failed({ rollout, run, variant: "canary", bucket });
const messages = () => fake.published.map(({ text }) => FailingUsersMessageSchema.parse(JSON.parse(text)));
const runsIn = (index: number) => messages()[index]?.runs.map(({ rollout, run }) => `${rollout} ${run}`);

describe("failing users are told", () => {
  test("within two seconds while a canary is live, and only when something changed", () => {
    fail(7);
    vi.advanceTimersByTime(2_000);
    expect(fake.published.map(({ subject }) => subject)).toEqual(["serin.failing.s1"]);
    vi.advanceTimersByTime(20_000);
    expect(fake.published).toHaveLength(1);
    fail(7);
    vi.advanceTimersByTime(2_000);
    expect(fake.published).toHaveLength(2);
  });

  test("within five seconds while none is", () => {
    rules.replace(ruleSetOf({ checkout: ruleOf({}, { off: true }) }));
    vi.advanceTimersByTime(2_000);
    fail(7);
    vi.advanceTimersByTime(1_900);
    expect(fake.published).toHaveLength(0);
    vi.advanceTimersByTime(3_100);
    expect(fake.published).toHaveLength(1);
  });

  test("each part whole, with the begin of the count", () => {
    for (const bucket of [7, 8, 7]) fail(bucket);
    vi.advanceTimersByTime(2_000);
    fail(9);
    vi.advanceTimersByTime(2_000);
    const [part] = messages()[1]?.runs ?? [];
    expect(messages()[1]).toMatchObject({ format: 1, startedAtMs: 1_000_000, histories: [] });
    expect(part && countsOf(readSketch(part.users))).toEqual(
      new Map([7, 8, 9].map((bucket) => [keyHash(bucket), bucket === 7 ? 2 : 1] as const).toSorted(([a], [b]) => a - b)),
    );
  });

  test("in parts that changed, and in all of them to a new leader", () => {
    fail(7);
    fail(7, "search", 5);
    vi.advanceTimersByTime(2_000);
    fail(8);
    vi.advanceTimersByTime(2_000);
    expect([runsIn(0), runsIn(1)]).toEqual([["checkout 2", "search 5"], ["checkout 2"]]);
    sender.resend();
    vi.advanceTimersByTime(2_000);
    expect(runsIn(2)).toEqual(["checkout 2", "search 5"]);
  });

  test("less often where very many fail", () => {
    for (let bucket = 0; bucket < 300; bucket += 1) fail(bucket);
    vi.advanceTimersByTime(2_000);
    fail(300);
    vi.advanceTimersByTime(1_900);
    expect(fake.published).toHaveLength(1);
    vi.advanceTimersByTime(3_100);
    expect(fake.published).toHaveLength(2);
  });

  test("in messages that NATS takes, however many fail", () => {
    for (let rollout = 0; rollout < 150; rollout += 1) {
      for (let bucket = 0; bucket < 1_100; bucket += 1) fail(bucket, `rollout-${rollout}`);
    }
    vi.advanceTimersByTime(2_000);
    expect(Math.max(...fake.published.map(({ text }) => text.length))).toBeLessThan(1_024 * 1_024);
    expect(new Set(fake.published.flatMap((_, index) => runsIn(index))).size).toBe(150);
  });

  test("with the next message when they could not be sent", () => {
    const { publish } = fake.link.connection;
    const refuse = (): never => {
      throw new Error("too large");
    };
    Object.assign(fake.link.connection, { publish: refuse });
    fail(7);
    vi.advanceTimersByTime(2_000);
    Object.assign(fake.link.connection, { publish });
    vi.advanceTimersByTime(2_000);
    expect(runsIn(0)).toEqual(["checkout 2"]);
  });

  test("at the stop, and no more after it", () => {
    fail(7);
    sender.stop();
    expect(fake.published).toHaveLength(1);
    fail(8);
    vi.advanceTimersByTime(60_000);
    expect(fake.published).toHaveLength(1);
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Receipt, ReceiptSchema } from "../../../src/contract/messages.ts";
import { type CurrentRules, createCurrentRules } from "../../../src/sidecar/current-rules.ts";
import { type Receipts, startReceipts } from "../../../src/sidecar/receipts.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { createFakeLink, type FakeLink } from "../../support/fake-link.ts";

let fake: FakeLink;
let rules: CurrentRules;
let receipts: Receipts;
const clock = { nowMs: () => Date.now(), monotonicMs: () => Date.now() };
const at = (revision: number, shareBp: number) => ({ ...ruleSetOf({ checkout: ruleOf({}, { shareBp }) }), revision });

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  fake = createFakeLink();
  rules = createCurrentRules(clock.nowMs);
  receipts = startReceipts({ id: "s1", link: fake.link, rules, clock, beat: () => ({ state: "ok", ageMs: 12.4 }) });
});
afterEach(() => {
  receipts.stop();
  vi.useRealTimers();
});

const saidOn = (subject: string): Receipt[] =>
  fake.published.filter((message) => message.subject === subject).map(({ text }) => ReceiptSchema.parse(JSON.parse(text)));
const said = (): Receipt[] => saidOn("serin.receipt.s1");

describe("a receipt", () => {
  test("is sent at the start, with everything that the contract asks", () => {
    expect(said()).toEqual([
      {
        format: 1,
        sidecar: "s1",
        epoch: 0,
        revision: 0,
        sinceMs: 1_000_000,
        atMs: 1_000_000,
        startedAtMs: 1_000_000,
        state: "ok",
        beatAgeMs: 12,
        rejected: 0,
      },
    ]);
  });

  test("is sent at each change, at once", () => {
    vi.advanceTimersByTime(700);
    rules.offer(at(7, 500));
    expect(said().at(-1)).toMatchObject({ revision: 7, sinceMs: 1_000_700, atMs: 1_000_700 });
    rules.reject("the manifest is not JSON");
    expect(said().at(-1)).toMatchObject({ revision: 7, rejected: 1, problem: "the manifest is not JSON" });
    expect(said()).toHaveLength(3);
  });

  test("tells at once of an operator's order that was heard, also of one that changes nothing", () => {
    const order = { id: "0011223344556677", isObeyed: false, problem: "its signature does not fit" };
    const heard = [order];
    rules.setKills(rules.compiled().kills, heard);
    rules.setKills(rules.compiled().kills, heard);
    expect(said().map(({ orders }) => orders)).toEqual([undefined, heard]);
  });

  test.each([
    { title: "every second while a canary is live", shareBp: 500, waitedMs: 120_000, count: 10 },
    { title: "every second for a minute after a change", shareBp: 10_000, waitedMs: 0, count: 10 },
    { title: "every ten seconds else", shareBp: 10_000, waitedMs: 120_000, count: 1 },
  ])("is sent $title", ({ shareBp, waitedMs, count }) => {
    rules.offer(at(7, shareBp));
    vi.advanceTimersByTime(waitedMs);
    const before = said().length;
    vi.advanceTimersByTime(10_000);
    expect(said().length - before).toBe(count);
  });

  test("tells of more stopped canaries than it holds in turns, and all of them stay stopped", () => {
    const names = Array.from({ length: 130 }, (_, index) => `r${index}`);
    const rollouts = (shareBp: number) => Object.fromEntries(names.map((name) => [name, ruleOf({}, { shareBp })]));
    rules.offer({ ...ruleSetOf(rollouts(500)), revision: 7 });
    for (const name of names) rules.stop(name, { failures: 5, users: 3 });
    rules.offer({ ...ruleSetOf(rollouts(500)), revision: 8 });
    expect(rules.stopped()).toHaveLength(130);
    vi.advanceTimersByTime(1_000);
    const told = said()
      .slice(-2)
      .map(({ stopped = [] }) => stopped.map(({ rollout }) => rollout));
    expect([told.map(({ length }) => length), new Set(told.flat()).size]).toEqual([[100, 100], 130]);
  });

  test("of a problem too long for the contract is cut", () => {
    rules.reject("x".repeat(5_000));
    expect(said().at(-1)?.problem).toHaveLength(2_000);
  });
});

describe("the goodbye", () => {
  test("is the last word", async () => {
    await receipts.goodbye();
    rules.offer(at(8, 500));
    vi.advanceTimersByTime(60_000);
    expect(said().map(({ state }) => state)).toEqual(["ok", "goodbye"]);
  });

  test("is kept for leaders to come, and the first word of the next process takes its place", async () => {
    vi.advanceTimersByTime(60_000);
    await receipts.goodbye();
    expect(saidOn("serin.presence.s1").map(({ state }) => state)).toEqual(["ok", "goodbye"]);
  });

  test("does not hold up the stop when NATS is away", async () => {
    fake.flush = () => new Promise(() => undefined);
    const goodbye = receipts.goodbye();
    await vi.advanceTimersByTimeAsync(1_000);
    await goodbye;
    expect(said().at(-1)?.state).toBe("goodbye");
  });
});

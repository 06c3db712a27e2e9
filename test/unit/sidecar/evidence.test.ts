import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EvidenceSchema } from "../../../src/contract/evidence.ts";
import { createLog } from "../../../src/io/log.ts";
import { type Cells, createCells } from "../../../src/sidecar/cells.ts";
import { type CurrentRules, createCurrentRules } from "../../../src/sidecar/current-rules.ts";
import { type EvidenceSender, startEvidence } from "../../../src/sidecar/evidence.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";
import { createFakeLink, type FakeLink } from "../../support/fake-link.ts";

let fake: FakeLink;
let cells: Cells;
let rules: CurrentRules;
let sender: EvidenceSender;
const clock = { nowMs: () => Date.now(), monotonicMs: () => Date.now() };
const canary = { rollout: "checkout", variant: "canary", run: 3, control: false } as const;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  fake = createFakeLink();
  cells = createCells(clock.nowMs);
  rules = createCurrentRules(clock.nowMs);
  rules.offer(ruleSetOf({ checkout: ruleOf({}, { shareBp: 500 }) }));
  sender = startEvidence({ id: "s1", link: fake.link, rules, cells, clock, log: createLog({ name: "test", level: "silent" }) });
});
afterEach(() => {
  sender.stop();
  vi.useRealTimers();
});

const messages = () => fake.published.map(({ text }) => EvidenceSchema.parse(JSON.parse(text)));
const attribute = (index: number, key: string): unknown => {
  const value = messages()[index]?.resourceMetrics[0]?.resource.attributes.find((each) => each.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
};
const rolloutsIn = (index: number): unknown[] =>
  (messages()[index]?.resourceMetrics ?? [])
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    .flatMap(({ sum, histogram }) => [...(sum?.dataPoints ?? []), ...(histogram?.dataPoints ?? [])])
    .map(({ attributes }) => attributes.find(({ key }) => key === "rollout")?.value.stringValue);

describe("evidence", () => {
  test("is sent every one to two seconds while a canary is live, and only when something changed", () => {
    cells.decided(canary, "share");
    vi.advanceTimersByTime(2_000);
    expect(fake.published.map(({ subject }) => subject)).toEqual(["serin.evidence.s1"]);
    vi.advanceTimersByTime(20_000);
    expect(fake.published).toHaveLength(1);
    cells.decided(canary, "share");
    vi.advanceTimersByTime(2_000);
    expect(fake.published).toHaveLength(2);
  });

  test("takes up to five seconds while none is", () => {
    rules.replace(ruleSetOf({ checkout: ruleOf({}, { shareBp: 0 }) }));
    vi.advanceTimersByTime(2_000);
    cells.decided(canary, "share");
    vi.advanceTimersByTime(1_900);
    expect(fake.published).toHaveLength(0);
    vi.advanceTimersByTime(5_000);
    expect(fake.published).toHaveLength(1);
  });

  test("names its sender, its place in the sequence and the revision in force", () => {
    cells.decided(canary, "share");
    vi.advanceTimersByTime(2_000);
    cells.decided(canary, "share");
    vi.advanceTimersByTime(2_000);
    expect([attribute(1, "service.instance.id"), attribute(0, "serin.sequence"), attribute(1, "serin.sequence")]).toEqual(["s1", 1, 2]);
    expect(attribute(0, "serin.revision")).toBe("1700000000.7");
  });

  test("holds cumulative counts with their labels and their begin", () => {
    cells.decided(canary, "share");
    cells.ended(canary, { class: "failed", latencyMs: 4, isSession: false });
    vi.advanceTimersByTime(2_000);
    const metrics = messages()[0]?.resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
    expect(metrics.map(({ name }) => name)).toEqual([
      "serin_decisions_total",
      "serin_outcomes_total",
      "serin_requests_settled_total",
      "serin_outcome_duration_seconds",
    ]);
    const point = metrics[1]?.sum?.dataPoints[0];
    expect(Object.fromEntries((point?.attributes ?? []).map(({ key, value }) => [key, value.stringValue]))).toEqual({
      rollout: "checkout",
      variant: "canary",
      run: "3",
      control: "false",
      class: "failed",
    });
    expect([Number(point?.asInt ?? point?.asDouble), point?.startTimeUnixNano]).toEqual([1, "1000000000000"]);
    expect(metrics[3]?.histogram?.dataPoints[0]?.bucketCounts.map(Number)[3]).toBe(1);
  });

  test("of a failed canary is sent at once, and a burst of failures at most each 100 ms", () => {
    cells.ended(canary, { class: "failed", latencyMs: 4, isSession: false });
    sender.urgent("checkout");
    vi.advanceTimersByTime(1);
    expect(fake.published).toHaveLength(1);
    for (let elapsedMs = 0; elapsedMs < 99; elapsedMs += 1) {
      cells.ended(canary, { class: "failed", latencyMs: 4, isSession: false });
      sender.urgent("checkout");
      vi.advanceTimersByTime(1);
    }
    expect(fake.published.length).toBeLessThanOrEqual(2);
    vi.advanceTimersByTime(100);
    expect(fake.published.length).toBe(2);
  });

  test("of a canary that has no users any more can wait", () => {
    rules.replace(ruleSetOf({ checkout: ruleOf({}, { shareBp: 500, off: true }) }));
    cells.ended(canary, { class: "failed", latencyMs: 4, isSession: false });
    sender.urgent("checkout");
    sender.urgent("gone");
    vi.advanceTimersByTime(500);
    expect(fake.published).toHaveLength(0);
  });

  test("is told in full after a reconnection", () => {
    cells.decided(canary, "share");
    cells.decided({ ...canary, rollout: "search" }, "share");
    vi.advanceTimersByTime(2_000);
    cells.decided(canary, "share");
    vi.advanceTimersByTime(2_000);
    expect([rolloutsIn(0), rolloutsIn(1)]).toEqual([["checkout", "search"], ["checkout"]]);
    sender.resend();
    vi.advanceTimersByTime(2_000);
    expect(rolloutsIn(2)).toEqual(["checkout", "search"]);
  });

  test("of thousands of series is split, so that NATS takes every message", () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `rollout-${index}-with-a-name-that-is-as-long-as-names-can-be-0123456`);
    for (const rollout of names) {
      for (const reason of ["share", "target", "no key", "off", "unwatched"] as const) cells.decided({ ...canary, rollout }, reason);
      for (const outcome of ["ok", "failed", "aborted", "local"] as const)
        cells.ended({ ...canary, rollout }, { class: outcome, latencyMs: 123_456, isSession: false });
    }
    vi.advanceTimersByTime(2_000);
    expect(Math.max(...fake.published.map(({ text }) => text.length))).toBeLessThan(1_024 * 1_024);
    expect(new Set(fake.published.flatMap((_, index) => rolloutsIn(index)))).toEqual(new Set(names));
  });

  test("that could not be sent goes with the next message", () => {
    const { publish } = fake.link.connection;
    Object.assign(fake.link.connection, {
      publish: () => {
        throw new Error("too large");
      },
    });
    cells.decided(canary, "share");
    vi.advanceTimersByTime(2_000);
    Object.assign(fake.link.connection, { publish });
    vi.advanceTimersByTime(2_000);
    expect(rolloutsIn(0)).toEqual(["checkout"]);
  });

  test("that is left is sent at the stop, and nothing after it", () => {
    cells.decided(canary, "share");
    sender.stop();
    expect(fake.published).toHaveLength(1);
    cells.decided(canary, "share");
    vi.advanceTimersByTime(60_000);
    expect(fake.published).toHaveLength(1);
  });
});

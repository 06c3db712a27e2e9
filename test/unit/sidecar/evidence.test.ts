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
/** Pauses of the work so far, and what happens in the next ones. */
let pauses: number;
let meanwhile: (() => void)[];
const log = createLog({ name: "test", level: "silent" });
const slices = async (): Promise<void> => {
  pauses += 1;
  await Promise.resolve();
  meanwhile.shift()?.();
};
const clock = { nowMs: () => Date.now(), monotonicMs: () => Date.now() };
const canary = { rollout: "checkout", variant: "canary", run: 3, control: false } as const;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  fake = createFakeLink();
  pauses = 0;
  meanwhile = [];
  cells = createCells({ nowMs: clock.nowMs, runInForce: () => 3 });
  rules = createCurrentRules(clock.nowMs);
  rules.offer(ruleSetOf({ checkout: ruleOf({}, { shareBp: 500 }) }));
  sender = startEvidence({ id: "s1", link: fake.link, rules, cells, clock, log, slices });
});
afterEach(async () => {
  await sender.stop();
  vi.useRealTimers();
});

const message = (index: number) => EvidenceSchema.parse(JSON.parse(fake.published[index]?.text ?? ""));
const attribute = (index: number, key: string): unknown => {
  const value = message(index).resourceMetrics[0]?.resource.attributes.find((each) => each.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
};
const rolloutsIn = (index: number): unknown[] =>
  message(index)
    .resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    .flatMap(({ sum, histogram }) => [...(sum?.dataPoints ?? []), ...(histogram?.dataPoints ?? [])])
    .map(({ attributes }) => attributes.find(({ key }) => key === "rollout")?.value.stringValue);

describe("evidence", () => {
  test("is sent every one to two seconds while a canary is live, and only when something changed", async () => {
    cells.decided(canary, "share");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fake.published.map(({ subject }) => subject)).toEqual(["serin.evidence.s1"]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(fake.published).toHaveLength(1);
    cells.decided(canary, "share");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fake.published).toHaveLength(2);
  });

  test("takes up to five seconds while none is", async () => {
    rules.replace(ruleSetOf({ checkout: ruleOf({}, { shareBp: 0 }) }));
    await vi.advanceTimersByTimeAsync(2_000);
    cells.decided(canary, "share");
    await vi.advanceTimersByTimeAsync(1_900);
    expect(fake.published).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(fake.published).toHaveLength(1);
  });

  test("names its sender, its place in the sequence and the revision in force", async () => {
    cells.decided(canary, "share");
    await vi.advanceTimersByTimeAsync(2_000);
    cells.decided(canary, "share");
    await vi.advanceTimersByTimeAsync(2_000);
    expect([attribute(1, "service.instance.id"), attribute(0, "serin.sequence"), attribute(1, "serin.sequence")]).toEqual(["s1", 1, 2]);
    expect(attribute(0, "serin.revision")).toBe("1700000000.7");
  });

  test("holds cumulative counts with their labels and their begin", async () => {
    cells.decided(canary, "share");
    cells.ended(canary, { class: "failed", latencyMs: 4, isSession: false });
    await vi.advanceTimersByTimeAsync(2_000);
    const metrics = message(0).resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
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

  test("of a failed canary is sent at once, and a burst of failures at most each 100 ms", async () => {
    cells.ended(canary, { class: "failed", latencyMs: 4, isSession: false });
    sender.urgent("checkout");
    await vi.advanceTimersByTimeAsync(1);
    expect(fake.published).toHaveLength(1);
    for (let elapsedMs = 0; elapsedMs < 99; elapsedMs += 1) {
      cells.ended(canary, { class: "failed", latencyMs: 4, isSession: false });
      sender.urgent("checkout");
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(fake.published.length).toBeLessThanOrEqual(2);
    await vi.advanceTimersByTimeAsync(100);
    expect(fake.published.length).toBe(2);
  });

  test("comes after what must be told of its rollouts beforehand", async () => {
    await sender.stop();
    const told: unknown[] = [];
    const beforehand = (rollouts: Iterable<string>): void => void told.push([...rollouts, fake.published.length]);
    sender = startEvidence({ id: "s1", link: fake.link, rules, cells, clock, log, slices, beforehand });
    cells.decided(canary, "share");
    cells.decided({ ...canary, variant: "stable" }, "share");
    cells.decided({ ...canary, rollout: "search" }, "share");
    await vi.advanceTimersByTimeAsync(2_000);
    expect([told, fake.published.length]).toEqual([[["checkout", "search", 0]], 1]);
  });

  test("of a canary that has no users any more can wait", async () => {
    rules.replace(ruleSetOf({ checkout: ruleOf({}, { shareBp: 500, off: true }) }));
    cells.ended(canary, { class: "failed", latencyMs: 4, isSession: false });
    sender.urgent("checkout");
    sender.urgent("gone");
    await vi.advanceTimersByTimeAsync(500);
    expect(fake.published).toHaveLength(0);
  });

  test("is told in full after a reconnection", async () => {
    cells.decided(canary, "share");
    cells.decided({ ...canary, rollout: "search" }, "share");
    await vi.advanceTimersByTimeAsync(2_000);
    cells.decided(canary, "share");
    await vi.advanceTimersByTimeAsync(2_000);
    expect([rolloutsIn(0), rolloutsIn(1)]).toEqual([["checkout", "search"], ["checkout"]]);
    sender.resend();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(rolloutsIn(2)).toEqual(["checkout", "search"]);
  });

  test("of thousands of series is split, so that NATS takes every message", async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `rollout-${index}-with-a-name-that-is-as-long-as-names-can-be-0123456`);
    for (const rollout of names) {
      for (const reason of ["share", "target", "no key", "off", "unwatched"] as const) cells.decided({ ...canary, rollout }, reason);
      for (const outcome of ["ok", "failed", "aborted", "local"] as const)
        cells.ended({ ...canary, rollout }, { class: outcome, latencyMs: 123_456, isSession: false });
    }
    await vi.advanceTimersByTimeAsync(2_000);
    expect(Math.max(...fake.published.map(({ text }) => text.length))).toBeLessThan(1_024 * 1_024);
    expect(new Set(fake.published.flatMap((_, index) => rolloutsIn(index)))).toEqual(new Set(names));
  });

  test("that could not be sent goes with the next message", async () => {
    const { publish } = fake.link.connection;
    Object.assign(fake.link.connection, {
      publish: () => {
        throw new Error("too large");
      },
    });
    cells.decided(canary, "share");
    await vi.advanceTimersByTimeAsync(2_000);
    Object.assign(fake.link.connection, { publish });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(rolloutsIn(0)).toEqual(["checkout"]);
  });

  test("that is left is sent at the stop, and nothing after it", async () => {
    cells.decided(canary, "share");
    await sender.stop();
    expect(fake.published).toHaveLength(1);
    cells.decided(canary, "share");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fake.published).toHaveLength(1);
  });

  describe("of many rollouts", () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `rollout-${index}`);
    const runs = () => fake.published.map((_, index) => attribute(index, "serin.sequence"));
    const countOf = (index: number, rollout: string): unknown =>
      message(index)
        .resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
        .flatMap(({ sum }) => sum?.dataPoints ?? [])
        .find(({ attributes }) => attributes.some(({ value }) => value.stringValue === rollout))?.asInt;

    beforeEach(() => {
      for (const rollout of names) cells.decided({ ...canary, rollout }, "share");
    });

    test("leaves the loop to others after each message, and names each once", async () => {
      await vi.advanceTimersByTimeAsync(2_000);
      const rollouts = fake.published.flatMap((_, index) => [...new Set(rolloutsIn(index))]);
      expect([rollouts.length, new Set(rollouts).size]).toEqual([1_000, 1_000]);
      expect(Math.max(...fake.published.map((_, index) => new Set(rolloutsIn(index)).size))).toBeLessThanOrEqual(50);
      expect(pauses).toBeGreaterThanOrEqual(fake.published.length - 1);
    });

    test("leaves the loop to others also where nothing changed", async () => {
      await vi.advanceTimersByTimeAsync(2_000);
      for (let more = 0; more < 4_000; more += 1) cells.decided({ ...canary, rollout: `more-${more}` }, "share");
      await vi.advanceTimersByTimeAsync(2_000);
      const [before, told] = [pauses, fake.published.length];
      await vi.advanceTimersByTimeAsync(2_000);
      // One round or two, of 5,000 cells each.
      expect([told, before + 5, before + 10]).toEqual(expect.arrayContaining([fake.published.length, pauses]));
    });

    test("is overtaken by a failed canary, whose counts are told once and in sequence", async () => {
      meanwhile.push(() => {
        cells.ended({ ...canary, rollout: "checkout" }, { class: "failed", latencyMs: 4, isSession: false });
        sender.urgent("checkout");
        vi.advanceTimersByTime(1);
      });
      await vi.advanceTimersByTimeAsync(2_000);
      const where = fake.published.flatMap((_, index) => (rolloutsIn(index).includes("checkout") ? [index] : []));
      expect([where, new Set(rolloutsIn(1))]).toEqual([[1], new Set(["checkout"])]);
      expect(runs()).toEqual(fake.published.map((_, index) => index + 1));
    });

    test("tells a change behind its message with the next round, and one before it at once", async () => {
      meanwhile.push(() => {
        for (const rollout of ["rollout-0", "rollout-999"]) cells.decided({ ...canary, rollout }, "share");
      });
      await vi.advanceTimersByTimeAsync(4_000);
      const last = fake.published.length - 1;
      expect([countOf(0, "rollout-0"), countOf(last - 1, "rollout-999"), countOf(last, "rollout-0")].map(String)).toEqual(["1", "2", "2"]);
      expect(new Set(rolloutsIn(last))).toEqual(new Set(["rollout-0"]));
    });

    test("is told in full also to a leader that came during a round", async () => {
      meanwhile.push(() => sender.resend());
      await vi.advanceTimersByTimeAsync(4_000);
      const afterwards = fake.published.slice(1).flatMap((_, index) => rolloutsIn(index + 1));
      expect(new Set(afterwards)).toEqual(new Set(names));
    });

    test("ends with what was counted when the sender is stopped during a round", async () => {
      let stopped: Promise<void> | undefined;
      meanwhile.push(() => {
        cells.decided({ ...canary, rollout: "rollout-0" }, "share");
        stopped = sender.stop();
      });
      await vi.advanceTimersByTimeAsync(2_000);
      await stopped;
      expect(String(countOf(fake.published.length - 1, "rollout-0"))).toBe("2");
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});

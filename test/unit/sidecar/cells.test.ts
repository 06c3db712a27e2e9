import { describe, expect, test } from "vitest";
import { LATENCY_BOUNDS_MS } from "../../../src/contract/names.ts";
import { isInKeyHalf, keyHash } from "../../../src/core/judge/key-sketch.ts";
import { bucketIndex } from "../../../src/io/distribution.ts";
import { type Cells, createCells } from "../../../src/sidecar/cells.ts";

const labels = (run: number, rollout = "checkout", variant: "stable" | "canary" = "canary") => ({ rollout, variant, run, control: false });
const all = (cells: Cells) => [...cells.all()];

describe("counts of a sidecar", () => {
  test("stay apart by run, and tell when they changed", () => {
    const cells = createCells({ nowMs: () => 1_000, runInForce: () => 2 });
    cells.decided(labels(1), "share");
    cells.ended(labels(1), { class: "failed", latencyMs: 7, isSession: false });
    cells.decided(labels(2), "target");
    expect(all(cells).map(({ labels: { run }, version }) => [run, version])).toEqual([
      [1, 2],
      [2, 3],
    ]);
    expect(all(cells)[0]).toMatchObject({ outcomes: { failed: 1, ok: 0 }, latencySumMs: 7, startMs: 1_000 });
  });

  test("tell how many requests nobody waits for: those that ended, and sessions from their decision on", () => {
    const cells = createCells({ nowMs: () => 0, runInForce: () => 1 });
    const settled = () => all(cells)[0]?.settled;
    const seen: unknown[] = [];
    for (const step of [
      () => cells.decided(labels(1), "share"),
      () => cells.ended(labels(1), { class: "aborted", latencyMs: undefined, isSession: false }),
      () => cells.decided(labels(1), "share", true),
      () => cells.ended(labels(1), { class: "ok", latencyMs: undefined, isSession: true }),
      () => cells.elsewhere(labels(1)),
    ]) {
      step();
      seen.push(settled());
    }
    expect([seen, all(cells)[0]?.version]).toEqual([[0, 1, 2, 2, 3], 5]);
  });

  test("of a request that has no latency keep no place for any", () => {
    const cells = createCells({ nowMs: () => 0, runInForce: () => 1 });
    cells.ended(labels(1), { class: "aborted", latencyMs: undefined, isSession: false });
    expect(all(cells)[0]?.latency).toBeUndefined();
    cells.ended(labels(1), { class: "ok", latencyMs: 2, isSession: false });
    expect(all(cells)[0]?.latency).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
  });

  test("of stable fall into halves by upstream host and by user, of which one is counted", () => {
    const cells = createCells({ nowMs: () => 0, runInForce: () => 1 });
    const buckets = Array.from({ length: 64 }, (_, bucket) => bucket);
    for (const bucket of buckets)
      cells.ended(labels(1, "checkout", "stable"), {
        class: bucket < 32 ? "ok" : "failed",
        latencyMs: 2,
        isSession: false,
        bucket,
        isOddHost: bucket % 4 === 0,
      });
    const ofKeys = (some: readonly number[]): number => some.filter((bucket) => isInKeyHalf(keyHash(bucket))).length;
    const latency = (count: number) => [0, count, ...new Array<number>(22).fill(0)];
    expect(all(cells)[0]?.halves).toMatchObject({
      hosts: { ok: 8, failed: 8, latency: latency(16) },
      keys: { ok: ofKeys(buckets.slice(0, 32)), failed: ofKeys(buckets.slice(32)), latency: latency(ofKeys(buckets)) },
    });
    expect(ofKeys(buckets)).toBeGreaterThan(16);
    expect(ofKeys(buckets)).toBeLessThan(48);
  });

  test("of requests without a host or a key go to either half in turn, and what says nothing to none", () => {
    const cells = createCells({ nowMs: () => 0, runInForce: () => 1 });
    const stable = labels(1, "checkout", "stable");
    for (let request = 0; request < 10; request += 1) cells.ended(stable, { class: "ok", latencyMs: undefined, isSession: false });
    for (const outcome of ["aborted", "local"] as const)
      cells.ended(stable, { class: outcome, latencyMs: undefined, isSession: false, isOddHost: true });
    expect(all(cells)[0]?.halves).toMatchObject({ hosts: { ok: 5, failed: 0 }, keys: { ok: 5, failed: 0 } });
  });

  test("of a canary have no halves: what comes in clumps is measured on stable", () => {
    const cells = createCells({ nowMs: () => 0, runInForce: () => 1 });
    cells.ended(labels(1), { class: "ok", latencyMs: 2, isSession: false, isOddHost: true });
    expect(all(cells)[0]?.halves).toBeUndefined();
  });

  test("of the last eight runs are kept, so that memory is bounded", () => {
    const cells = createCells({ nowMs: () => 0, runInForce: () => 20 });
    for (let run = 1; run <= 20; run += 1) cells.decided(labels(run), "share");
    expect(all(cells).map((cell) => cell.labels.run)).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
  });

  test("of the run in force are kept also where its number began anew", () => {
    const cells = createCells({ nowMs: () => 0, runInForce: () => 1 });
    for (let run = 11; run <= 20; run += 1) cells.decided(labels(run), "share");
    for (let request = 0; request < 3; request += 1) cells.decided(labels(1), "share");
    expect(cells.of("checkout").find(({ labels: { run } }) => run === 1)?.decisions.share).toBe(3);
  });

  test("of a run that is too old to be kept leave nothing behind", () => {
    const cells = createCells({ nowMs: () => 0, runInForce: () => 20, maxOld: 9, maxCells: 12 });
    for (let run = 11; run <= 20; run += 1) cells.decided(labels(run), "share");
    for (let late = 0; late < 100; late += 1) cells.elsewhere(labels(1));
    for (const rollout of ["a", "b", "c", "d"]) cells.decided(labels(20, rollout), "share");
    expect(all(cells).map(({ labels: { rollout, run } }) => `${rollout} ${run}`)).toEqual([
      ...[13, 14, 15, 16, 17, 18, 19, 20].map((run) => `checkout ${run}`),
      ...["a 20", "b 20", "c 20", "d 20"],
    ]);
  });

  test("of old runs give way, the least recently changed first, whichever rollout they are of", () => {
    const run = new Map([
      ["a", 1],
      ["b", 1],
      ["c", 1],
    ]);
    const cells = createCells({ nowMs: () => 0, runInForce: (rollout) => run.get(rollout), maxOld: 2 });
    const begin = (rollout: string): void => {
      run.set(rollout, (run.get(rollout) ?? 0) + 1);
      cells.decided(labels(run.get(rollout) ?? 0, rollout), "share");
    };
    for (const rollout of ["a", "b", "c"]) cells.decided(labels(1, rollout), "share");
    begin("a");
    begin("b");
    cells.ended(labels(1, "a"), { class: "ok", latencyMs: 1, isSession: false });
    begin("c");
    expect(all(cells).map(({ labels: { rollout, run: of } }) => `${rollout} ${of}`)).toEqual(["a 1", "a 2", "b 2", "c 1", "c 2"]);
  });

  test("of runs in force have room, however many rollouts begin another run", () => {
    let overflows = 0;
    let run = 1;
    const cells = createCells({ nowMs: () => 0, runInForce: () => run, onOverflow: () => (overflows += 1) });
    const names = Array.from({ length: 10_000 }, (_, index) => `rollout-${index}`);
    for (run = 1; run <= 4; run += 1) {
      for (const name of names) {
        cells.decided(labels(run, name), "share");
        cells.decided(labels(run, name, "stable"), "share");
        cells.decided({ ...labels(run, name, "stable"), control: true }, "share");
      }
    }
    const inForce = all(cells).filter(({ labels: of }) => of.run === 4);
    expect([inForce.length, overflows]).toEqual([30_000, 0]);
    expect(all(cells).length).toBeLessThanOrEqual(30_000 + 10_003);
  });

  test("of a run that came into force again are not given away as old ones", () => {
    let run = 2;
    const cells = createCells({ nowMs: () => 0, runInForce: (rollout) => (rollout === "back" ? run : 1), maxOld: 1 });
    cells.decided(labels(1, "back"), "share");
    run = 1;
    for (const late of [7, 8, 9]) cells.decided(labels(late, "other"), "share");
    expect(all(cells).some(({ labels: { rollout } }) => rollout === "back")).toBe(true);
  });

  test("for which there is no room are told, and take room again when others went", () => {
    let overflows = 0;
    const cells = createCells({ nowMs: () => 0, runInForce: () => 1, onOverflow: () => (overflows += 1), maxCells: 2 });
    for (const rollout of ["a", "b", "c"]) cells.decided(labels(1, rollout), "share");
    cells.ended(labels(1, "c"), { class: "ok", latencyMs: 1, isSession: false });
    expect([all(cells).map((cell) => cell.labels.rollout), overflows]).toEqual([["a", "b"], 2]);
    cells.forget("a");
    cells.decided(labels(1, "c"), "share");
    expect([all(cells).map((cell) => cell.labels.rollout), overflows]).toEqual([["b", "c"], 2]);
  });

  test("of a rollout that is gone go too", () => {
    const cells = createCells({ nowMs: () => 0, runInForce: () => 1 });
    cells.decided(labels(1, "gone"), "share");
    cells.decided(labels(1, "kept"), "share");
    cells.forget("gone");
    expect([[...cells.rollouts()], all(cells).length]).toEqual([["kept"], 1]);
  });
});

test.each([
  [0, 0],
  [1, 0],
  [1.01, 1],
  [30_000, LATENCY_BOUNDS_MS.length - 1],
  [30_001, LATENCY_BOUNDS_MS.length],
])("%d ms fall into bucket %d", (latencyMs, bucket) => {
  expect(bucketIndex(LATENCY_BOUNDS_MS, latencyMs)).toBe(bucket);
});

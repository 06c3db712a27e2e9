import { describe, expect, test } from "vitest";
import { LATENCY_BOUNDS_MS } from "../../../src/contract/names.ts";
import { bucketIndex, createCells } from "../../../src/sidecar/cells.ts";

const labels = (run: number, rollout = "checkout") => ({ rollout, variant: "canary", run, control: false }) as const;

describe("counts of a sidecar", () => {
  test("stay apart by run, and tell when they changed", () => {
    const cells = createCells(() => 1_000);
    cells.decided(labels(1), "share");
    cells.ended(labels(1), { class: "failed", latencyMs: 7, isSession: false });
    cells.decided(labels(2), "target");
    expect(cells.all().map(({ labels: { run }, version }) => [run, version])).toEqual([
      [1, 2],
      [2, 1],
    ]);
    expect(cells.all()[0]).toMatchObject({ outcomes: { failed: 1, ok: 0 }, latencySumMs: 7, startMs: 1_000 });
  });

  test("tell how many requests nobody waits for: those that ended, and sessions from their decision on", () => {
    const cells = createCells(() => 0);
    const settled = () => cells.all()[0]?.settled;
    const seen: unknown[] = [];
    for (const step of [
      () => cells.decided(labels(1), "share"),
      () => cells.ended(labels(1), { class: "aborted", latencyMs: undefined, isSession: false }),
      () => cells.decided(labels(1), "share", true),
      () => cells.ended(labels(1), { class: "ok", latencyMs: undefined, isSession: true }),
      () => cells.settled(labels(1)),
    ]) {
      step();
      seen.push(settled());
    }
    expect([seen, cells.all()[0]?.version]).toEqual([[0, 1, 2, 2, 3], 5]);
  });

  test("of the last eight runs are kept, so that memory is bounded", () => {
    const cells = createCells(() => 0);
    for (let run = 1; run <= 20; run += 1) cells.decided(labels(run), "share");
    expect(cells.all().map((cell) => cell.labels.run)).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
  });

  test("for which there is no room are told, and take room again when others went", () => {
    let overflows = 0;
    const cells = createCells(
      () => 0,
      () => {
        overflows += 1;
      },
      2,
    );
    for (const rollout of ["a", "b", "c"]) cells.decided(labels(1, rollout), "share");
    cells.ended(labels(1, "c"), { class: "ok", latencyMs: 1, isSession: false });
    expect([cells.all().map((cell) => cell.labels.rollout), overflows]).toEqual([["a", "b"], 2]);
    cells.keepOnly(new Set(["b"]));
    cells.decided(labels(1, "c"), "share");
    expect([cells.all().map((cell) => cell.labels.rollout), overflows]).toEqual([["b", "c"], 2]);
  });

  test("of old runs make room too", () => {
    let overflows = 0;
    const cells = createCells(
      () => 0,
      () => {
        overflows += 1;
      },
      9,
    );
    for (let run = 1; run <= 30; run += 1) cells.decided(labels(run), "share");
    expect([cells.all().length, overflows]).toEqual([8, 0]);
  });

  test("of rollouts that are gone go too", () => {
    const cells = createCells(() => 0);
    cells.decided(labels(1, "gone"), "share");
    cells.decided(labels(1, "kept"), "share");
    cells.keepOnly(new Set(["kept"]));
    expect(cells.all().map((cell) => cell.labels.rollout)).toEqual(["kept"]);
  });
});

test.each([
  [0, 0],
  [1, 0],
  [1.01, 1],
  [30_000, LATENCY_BOUNDS_MS.length - 1],
  [30_001, LATENCY_BOUNDS_MS.length],
])("%d ms fall into bucket %d", (latencyMs, bucket) => {
  expect(bucketIndex(latencyMs)).toBe(bucket);
});

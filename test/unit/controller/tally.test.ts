import { describe, expect, test } from "vitest";
import type { Delta } from "../../../src/controller/evidence-deltas.ts";
import { addToTally, batchOf, emptyTally, shareSeenBp } from "../../../src/controller/tally.ts";

const delta = (change: Partial<Delta>): Delta => ({ measure: "ok", variant: "stable", control: false, run: 3, values: [10], ...change });

const RUN = { run: 3, shareBp: 1_000 };

describe("the tally of a rollout", () => {
  test("counts control into stable and apart", () => {
    const { totals } = addToTally(emptyTally(3), [delta({}), delta({ control: true, values: [4] })], 3);
    expect([totals.stable.requests, totals.control.requests, totals.canary.requests]).toEqual([14, 4, 0]);
  });

  test("counts failed requests among the requests", () => {
    const { totals } = addToTally(
      emptyTally(3),
      [delta({ variant: "canary" }), delta({ variant: "canary", measure: "failed", values: [2] })],
      3,
    );
    expect(totals.canary).toEqual({ decided: 0, settled: 0, requests: 12, failed: 2 });
  });

  test("shows the share that users of the current run see", () => {
    const before = addToTally(emptyTally(3), [delta({ measure: "decided", values: [90] })], 3);
    const after = addToTally(before, [delta({ measure: "decided", variant: "canary", values: [10] })], 3);
    expect([shareSeenBp(before), shareSeenBp(after)]).toEqual([0, 1_000]);
  });

  test("counts what a share decided among all decisions, and no half a second time", () => {
    const found = [
      delta({ measure: "shared", values: [60] }),
      delta({ measure: "decided", values: [30] }),
      delta({ half: "hosts", values: [5] }),
      delta({ half: "keys", measure: "failed", values: [1] }),
      delta({}),
    ];
    const { totals, seen } = addToTally(emptyTally(3), found, 3);
    expect([totals.stable, seen.all]).toEqual([{ decided: 90, settled: 0, requests: 10, failed: 0 }, 90]);
  });

  test("begins the share seen anew with each run, and knows none before a decision", () => {
    const before = addToTally(emptyTally(3), [delta({ measure: "decided", values: [90] })], 3);
    const after = addToTally(before, [delta({ measure: "decided", values: [1] })], 4);
    expect([shareSeenBp(after), after.totals.stable.decided]).toEqual([null, 91]);
  });
});

describe("a batch for the judge", () => {
  test("tells what was decided and what no one waits for any more, of each side", () => {
    const found = [
      delta({ measure: "decided", values: [40] }),
      delta({ measure: "decided", variant: "canary", values: [5] }),
      delta({ measure: "settled", control: true, values: [30] }),
      delta({ measure: "settled", variant: "canary", values: [4] }),
    ];
    const { stable, canary } = batchOf(found, RUN, 0);
    expect([stable, canary]).toMatchObject([
      { decided: 40, settled: 30, requests: 0 },
      { decided: 5, settled: 4, requests: 0 },
    ]);
  });

  test("holds all runs' outcomes, and the canary's of the current run apart", () => {
    const found = [
      delta({ variant: "canary", run: 2 }),
      delta({ variant: "canary", measure: "failed", values: [3] }),
      delta({ control: true }),
    ];
    const batch = batchOf(found, RUN, 50);
    expect(batch).toMatchObject({ nowMs: 50, run: 3, runCanary: 3 });
    expect([batch.canary.requests, batch.canary.failed, batch.stable.requests]).toEqual([13, 3, 10]);
  });

  test("sums latencies bucket by bucket", () => {
    const values = new Array<number>(24).fill(1);
    const { stable } = batchOf([delta({ measure: "latency", values }), delta({ measure: "latency", values, control: true })], RUN, 0);
    expect(stable.latency).toEqual(new Array<number>(24).fill(2));
    expect(stable.requests).toBe(0);
  });

  test("tells how the share in force split those that it alone decided", () => {
    const found = [
      delta({ measure: "shared", values: [90] }),
      delta({ measure: "shared", values: [7], control: true }),
      delta({ measure: "shared", values: [10], variant: "canary" }),
      delta({ measure: "shared", values: [500], variant: "canary", run: 2 }),
      delta({ measure: "decided", values: [300], variant: "canary" }),
    ];
    const { split, canary } = batchOf(found, RUN, 0);
    expect([split, canary.decided]).toEqual([{ shareBp: 1_000, canary: 10, all: 107 }, 810]);
  });
});

describe("halves of stable in a batch", () => {
  const latency = (count: number) => [count, ...new Array<number>(23).fill(0)];
  const whole = [delta({ values: [9] }), delta({ measure: "failed", values: [4] }), delta({ measure: "latency", values: latency(13) })];
  const half = (failed: number, counted = latency(6)) =>
    (["ok", "failed"] as const)
      .map((measure) => delta({ half: "hosts", measure, values: [measure === "ok" ? 4 : failed] }))
      .concat(delta({ half: "hosts", measure: "latency", values: counted }));

  test("are the part of it, control included, that sidecars count for one half", () => {
    const control = [delta({ half: "hosts", values: [1], control: true }), delta({ values: [2], control: true })];
    expect(batchOf([...whole, ...half(2), ...control], RUN, 0).halves).toEqual({ hosts: { requests: 7, failed: 2, latency: latency(6) } });
  });

  test("are apart by host and by user", () => {
    const keys = half(1).map((each) => ({ ...each, half: "keys" as const }));
    const { halves } = batchOf([...whole, ...half(2), ...keys], RUN, 0);
    expect([halves?.hosts?.failed, halves?.keys?.failed]).toEqual([2, 1]);
  });

  test.each([
    { title: "where no sidecar tells of them", found: [] },
    { title: "with more failed requests than the whole", found: half(5) },
    { title: "with more requests that did not fail", found: [...half(2), delta({ half: "hosts", values: [6] })] },
    { title: "with more of a latency", found: half(2, latency(14)) },
  ])("are left out $title", ({ found }) => {
    expect(batchOf([...whole, ...found], RUN, 0).halves).toEqual({});
  });
});

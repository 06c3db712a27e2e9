import { describe, expect, test } from "vitest";
import type { Delta } from "../../../src/controller/evidence-deltas.ts";
import { addToTally, batchOf, emptyTally, shareSeenBp } from "../../../src/controller/tally.ts";

const delta = (change: Partial<Delta>): Delta => ({ measure: "ok", variant: "stable", control: false, run: 3, values: [10], ...change });

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
    const { stable, canary } = batchOf(found, 3, 0);
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
    const batch = batchOf(found, 3, 50);
    expect(batch).toMatchObject({ nowMs: 50, run: 3, runCanary: 3 });
    expect([batch.canary.requests, batch.canary.failed, batch.stable.requests]).toEqual([13, 3, 10]);
  });

  test("sums latencies bucket by bucket", () => {
    const values = new Array<number>(24).fill(1);
    const { stable } = batchOf([delta({ measure: "latency", values }), delta({ measure: "latency", values, control: true })], 3, 0);
    expect(stable.latency).toEqual(new Array<number>(24).fill(2));
    expect(stable.requests).toBe(0);
  });
});

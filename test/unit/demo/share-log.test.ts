import { describe, expect, test } from "vitest";
import { createShareLog, type ShareLog } from "../../../src/demo/share-log.ts";

const SIDECARS = ["sidecar-0", "sidecar-1"];

/** Issues a manifest that holds one rollout. */
function issue(log: ShareLog, revision: number, rule: { run: number; shareBp: number; off?: boolean }): void {
  const live = { shop: { off: false, whenUnwatched: "stable" as const, ...rule } };
  log.issued({ epoch: 1, revision, issuedAtMs: revision * 1_000, live });
}

const obey = (log: ShareLog, sidecar: string, revision: number, sinceMs: number, epoch = 1): void =>
  log.obeyed({ sidecar, epoch, revision, sinceMs });

describe("a log of shares", () => {
  test("knows nothing of a rollout that nobody issued", () => {
    expect(createShareLog(SIDECARS).changes("shop")).toEqual([]);
  });

  test("takes a share as obeyed when the last sidecar obeys it", () => {
    const log = createShareLog(SIDECARS);
    issue(log, 1, { run: 1, shareBp: 500 });
    obey(log, "sidecar-1", 1, 1_020);
    expect(log.changes("shop")).toEqual([{ shareBp: 500, issuedMs: 1_000, obeyedMs: undefined, isRollback: false }]);
    obey(log, "sidecar-0", 1, 1_007);
    expect(log.changes("shop")[0]?.obeyedMs).toBe(1_020);
  });

  test("keeps the first receipt of a revision, as later ones only repeat it", () => {
    const log = createShareLog(["sidecar-0"]);
    issue(log, 1, { run: 1, shareBp: 500 });
    obey(log, "sidecar-0", 1, 1_020);
    obey(log, "sidecar-0", 1, 1_900);
    expect(log.changes("shop")[0]?.obeyedMs).toBe(1_020);
  });

  test("takes a newer revision as obedience to the older one that it skipped", () => {
    const log = createShareLog(["sidecar-0"]);
    issue(log, 1, { run: 1, shareBp: 500 });
    issue(log, 2, { run: 2, shareBp: 1_000 });
    obey(log, "sidecar-0", 2, 2_010);
    expect(log.changes("shop").map(({ obeyedMs }) => obeyedMs)).toEqual([2_010, 2_010]);
  });

  test("does not take an older epoch's revision for a newer one, however high", () => {
    const log = createShareLog(["sidecar-0"]);
    issue(log, 1, { run: 1, shareBp: 500 });
    obey(log, "sidecar-0", 99, 900, 0);
    expect(log.changes("shop")[0]?.obeyedMs).toBeUndefined();
  });

  test("calls only a new run a change: another rollout's manifest repeats this one's", () => {
    const log = createShareLog([]);
    issue(log, 1, { run: 1, shareBp: 500 });
    issue(log, 2, { run: 1, shareBp: 500 });
    expect(log.changes("shop")).toHaveLength(1);
  });

  test("reads a rule that is off as a share of 0 % and a way back", () => {
    const log = createShareLog([]);
    issue(log, 1, { run: 1, shareBp: 500, off: true });
    expect(log.changes("shop")).toMatchObject([{ shareBp: 0, isRollback: true }]);
  });
});

import { beforeEach, describe, expect, test } from "vitest";
import { FailingLedger } from "../../../src/controller/failing-ledger.ts";
import { failingUsers } from "../../../src/core/judge/failing-users.ts";
import { failingMessage, users } from "../../support/failing-inputs.ts";

let ledger: FailingLedger;
beforeEach(() => {
  ledger = new FailingLedger();
});

/** The next leader's. */
function heir(): FailingLedger {
  const next = new FailingLedger();
  next.restore("cart", ledger.gone("cart"));
  return next;
}

const figures = (firstRun = 2, of = ledger) => failingUsers(of.united("cart"), { firstRun, elapsedMs: 0 });

describe("users of several sidecars", () => {
  test("are united: one broken client behind 50 Envoys is one", () => {
    for (let index = 0; index < 50; index += 1) ledger.hear(`s${index}`, failingMessage(1, { "2 canary": { 7: 3 } }));
    expect(figures().canary).toMatchObject({ distinct: 1, newlyFailing: 1, requests: 150 });
  });

  test("are known to all when one of them knows them", () => {
    ledger.hear("s1", failingMessage(1, {}, [7]));
    ledger.hear("s2", failingMessage(1, { "2 canary": { 7: 4 } }));
    expect(figures()).toMatchObject({ known: 1, canary: { distinct: 1, newlyFailing: 0, knownRequests: 4 } });
  });

  test("are told by rollout", () => {
    expect(ledger.hear("s1", failingMessage(1, { "2 canary": { 7: 1 } }, [8]))).toEqual(new Set(["cart"]));
    expect(failingUsers(ledger.united("shop"), { firstRun: 2, elapsedMs: 0 }).canary.distinct).toBe(0);
  });
});

describe("what a process says", () => {
  test("replaces what it said of the same part before, so a message that comes twice counts once", () => {
    const message = failingMessage(1, { "2 canary": { 7: 3 } });
    ledger.hear("s1", message);
    ledger.hear("s1", message);
    ledger.hear("s1", failingMessage(1, { "2 canary": { 7: 5, 8: 1 }, "3 canary": { 9: 1 } }));
    expect(figures().canary).toMatchObject({ distinct: 3, requests: 7 });
  });

  test("adds to what the process before it counted, also when that one's last word comes late", () => {
    ledger.hear("s1", failingMessage(1, { "2 canary": { 7: 3 } }));
    ledger.hear("s1", failingMessage(2, { "2 canary": { 7: 1, 8: 1 } }));
    ledger.hear("s1", failingMessage(1, { "2 canary": { 7: 4 } }));
    expect(figures().canary).toMatchObject({ distinct: 2, requests: 6 });
  });

  test("of more runs than any sidecar keeps is kept for the last 64", () => {
    for (let run = 1; run <= 70; run += 1) ledger.hear("s1", failingMessage(1, { [`${run} stable`]: { [run]: 1 } }));
    expect(figures(1).stable.distinct).toBe(64);
  });
});

describe("processes that are gone", () => {
  beforeEach(() => {
    ledger.hear("s1", failingMessage(1, { "2 canary": { 7: 3 }, "1 stable": { 5: 1 } }, [1]));
    ledger.hear("s2", failingMessage(1, { "2 canary": { 8: 1 } }, [2]));
  });

  test("still count, and are what the next leader must be told", () => {
    expect(ledger.goodbye("s1", 1)).toEqual(["cart"]);
    expect(figures().canary.distinct).toBe(2);
    const next = heir();
    next.hear("s2", failingMessage(1, { "2 canary": { 8: 1 } }, [2]));
    expect(figures(2, next)).toEqual(figures());
  });

  test("are told to the next leader each by itself where they said no goodbye, and count once when they speak again to that one", () => {
    ledger.forget("s1");
    ledger.hear("s2", failingMessage(2, {}));
    expect(ledger.gone("cart").silent?.map(({ sidecar, startedAtMs }) => [sidecar, startedAtMs])).toEqual([
      ["s1", 1],
      ["s2", 1],
    ]);
    const next = heir();
    expect(figures(2, next)).toEqual(figures());
    next.hear("s1", failingMessage(1, { "2 canary": { 7: 4 }, "1 stable": { 5: 1 } }, [1]));
    next.hear("s2", failingMessage(1, { "2 canary": { 8: 1 } }, [2]));
    expect(figures(2, next)).toMatchObject({ known: 3, canary: { distinct: 2, requests: 5 } });
    // The first lives; of the second a later process speaks, too.
    next.hear("s2", failingMessage(2, {}));
    expect(next.gone("cart").silent?.map(({ sidecar }) => sidecar)).toEqual(["s2"]);
  });

  test("take their successor with them neither when they say goodbye late, nor in the record", () => {
    ledger.hear("s1", failingMessage(2, { "2 canary": { 9: 2 } }));
    expect(ledger.goodbye("s1", 1)).toEqual(["cart"]);
    const next = heir();
    next.hear("s1", failingMessage(2, { "2 canary": { 9: 2 } }));
    next.hear("s2", failingMessage(1, { "2 canary": { 8: 1 } }, [2]));
    expect(figures(2, next)).toEqual(figures());
    expect(figures().canary.requests).toBe(6);
  });

  test("are those of a sidecar that began anew, too", () => {
    ledger.hear("s1", failingMessage(2, {}));
    const [before] = ledger.gone("cart").silent ?? [];
    expect(before?.runs.map(({ run, variant }) => `${run} ${variant}`)).toEqual(["2 canary", "1 stable"]);
  });

  test("count once when they speak again after all", () => {
    ledger.forget("s1");
    ledger.hear("s1", failingMessage(1, { "2 canary": { 7: 4 } }));
    expect([figures().canary.requests, ledger.gone("cart").gone.runs, ledger.gone("cart").silent]).toEqual([5, [], []]);
  });

  test("of an unknown sidecar are none", () => {
    expect([ledger.forget("s9"), ledger.goodbye("s9", 1)]).toEqual([[], []]);
  });

  test("are added up when they are too many, and lose nothing", () => {
    const small = new FailingLedger({ maxGone: 2 });
    for (let index = 0; index < 6; index += 1) {
      small.hear(`s${index}`, failingMessage(1, { "2 canary": { 7: 1, [100 + index]: 1 } }, [index]));
      small.goodbye(`s${index}`, 1);
    }
    expect(figures(2, small)).toMatchObject({ known: 6, canary: { distinct: 7, requests: 12 } });
    expect(small.gone("cart").gone.runs).toHaveLength(1);
  });

  test("are told as a sample where there is little room", () => {
    ledger.hear("s3", failingMessage(1, { "2 stable": users(500) }));
    ledger.forget("s3");
    const { gone, silent } = ledger.gone("cart", { capacity: 100 });
    expect([gone.runs, silent?.[0]?.runs[0]?.users.steps.length]).toEqual([[], 100]);
    const together = ledger.gone("cart", { capacity: 100, isTogether: true });
    expect([together.gone.runs[0]?.users.steps.length, together.silent]).toEqual([100, []]);
  });
});

describe("a day at rest", () => {
  test("makes whoever failed on stable history for one day more, and forgets the runs", () => {
    ledger.hear("s1", failingMessage(1, { "2 canary": { 7: 3 }, "2 stable": { 5: 1 } }, [1]));
    ledger.hear("s2", failingMessage(1, {}, [2]));
    ledger.goodbye("s2", 1);
    ledger.rotate("cart");
    expect(figures(3).known).toBe(3);
    expect(figures(2)).toMatchObject({ canary: { distinct: 0 }, stable: { distinct: 0 } });
    ledger.rotate("cart");
    // A living sidecar sees to its own history.
    expect(figures(3).known).toBe(1);
  });
});

test("beyond the room for all, users are kept as a small sample, and figures stay estimates of all", () => {
  const small = new FailingLedger({ maxUsers: 1_000, thinTo: 64 });
  for (let index = 0; index < 10; index += 1) small.hear(`s${index}`, failingMessage(1, { "2 canary": users(400, 0) }));
  const { canary } = figures(2, small);
  expect(canary.isExact).toBe(false);
  // 64 users are a sample with a standard deviation of 12.5 %.
  expect(Math.abs(canary.distinct / 400 - 1)).toBeLessThan(0.5);
});

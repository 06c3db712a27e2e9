import { describe, expect, test } from "vitest";
import type { Receipt } from "../../../src/contract/messages.ts";
import { countFleet, epochToHeal, type FleetView, forget, hear, missingFor, noteSilence } from "../../../src/controller/fleet.ts";
import { receiptOf } from "./builders.ts";

const nobody: FleetView = { known: {}, heard: {} };
const after = (...receipts: readonly Receipt[]): FleetView => receipts.reduce((fleet, receipt) => hear(fleet, receipt, 7).fleet, nobody);
const required = { epoch: 100, revision: 5 };

describe("membership of the fleet", () => {
  test("a sidecar is known from its first receipt", () => {
    const { fleet, isMembershipChanged } = hear(nobody, receiptOf("a", { startedAtMs: 3 }), 7);
    expect([fleet.known, isMembershipChanged]).toEqual([{ a: { firstSeenMs: 7, startedAtMs: 3 } }, true]);
  });

  test("a further receipt changes no membership, so nothing needs to be written", () => {
    expect(hear(after(receiptOf("a")), receiptOf("a", { revision: 6 }), 9).isMembershipChanged).toBe(false);
  });

  test("a goodbye takes it out", () => {
    expect(after(receiptOf("a"), receiptOf("b"), receiptOf("a", { state: "goodbye" })).known).toEqual(after(receiptOf("b")).known);
  });

  test("a goodbye of the process before does not take its successor out", () => {
    const fleet = after(
      receiptOf("a", { startedAtMs: 1 }),
      receiptOf("a", { startedAtMs: 2 }),
      receiptOf("a", { startedAtMs: 1, state: "goodbye" }),
    );
    expect(Object.keys(fleet.known)).toEqual(["a"]);
  });

  test("silence takes nobody out, an operator does", () => {
    const { fleet, isMembershipChanged } = forget(after(receiptOf("a"), receiptOf("b")), "a");
    expect([Object.keys(fleet.known), isMembershipChanged, forget(fleet, "a").isMembershipChanged]).toEqual([["b"], true, false]);
  });
});

describe("confirmation of a run", () => {
  test.each([
    { title: "the revision that carries it confirms", receipt: receiptOf("a"), missing: [] },
    { title: "a later revision confirms", receipt: receiptOf("a", { revision: 6 }), missing: [] },
    { title: "an earlier revision does not", receipt: receiptOf("a", { revision: 4 }), missing: ["a"] },
    { title: "a stale sidecar still obeys its rules", receipt: receiptOf("a", { state: "stale" }), missing: [] },
    { title: "an unwatched one has sent its shares home", receipt: receiptOf("a", { state: "unwatched" }), missing: ["a"] },
    { title: "one that obeys another line of revisions does not", receipt: receiptOf("a", { epoch: 101 }), missing: ["a"] },
  ])("$title", ({ receipt, missing }) => {
    expect(missingFor(after(receipt), required, 100)).toEqual(missing);
  });

  test("a member that a new leader has not heard yet is missing", () => {
    expect(missingFor({ known: after(receiptOf("a"), receiptOf("b")).known, heard: after(receiptOf("b")).heard }, required, 100)).toEqual([
      "a",
    ]);
  });
});

describe("a store that lost writes", () => {
  test.each([
    { title: "needs nothing while nobody is ahead", receipt: receiptOf("a"), nowMs: 200_000, epoch: undefined },
    { title: "begins a new epoch by the clock", receipt: receiptOf("a", { revision: 9 }), nowMs: 200_000, epoch: 200 },
    { title: "outranks the reported epoch when the clock is behind", receipt: receiptOf("a", { epoch: 300 }), nowMs: 200_000, epoch: 301 },
  ])("$title", ({ receipt, nowMs, epoch }) => {
    expect(epochToHeal(after(receipt), required, nowMs)).toBe(epoch);
  });
});

describe("the fleet, counted", () => {
  const entry = { firstSeenMs: 0, startedAtMs: 0 };

  test("has those behind that say so", () => {
    const fleet = after(receiptOf("a"), receiptOf("b", { revision: 4 }), receiptOf("c", { revision: 4, state: "stale" }));
    expect(countFleet(fleet, required)).toEqual({ states: { ok: 2, stale: 1, unwatched: 0, silent: 0 }, behind: 2 });
  });

  test("has nobody behind who is silent, or whom a new leader has not heard yet", () => {
    const { known, heard } = after(receiptOf("a"), receiptOf("gone", { revision: 4 }));
    const fleet = { known: { ...known, gone: { ...entry, silentSinceMs: 7 }, unheard: entry }, heard };
    expect(countFleet(fleet, required)).toEqual({ states: { ok: 1, stale: 0, unwatched: 0, silent: 2 }, behind: 0 });
  });
});

describe("a sidecar that says nothing", () => {
  const entry = { firstSeenMs: 0, startedAtMs: 0 };
  const known = { known: { a: entry, b: entry }, heard: {} };

  test("is silent from its last word on, once that is 12 s ago", () => {
    const heardAt = new Map([["a", 1_000]]);
    expect(noteSilence(known, heardAt, 12_999)).toBe(known);
    const silent = noteSilence(known, heardAt, 13_000);
    expect(silent.known).toEqual({ a: { ...entry, silentSinceMs: 1_000 }, b: entry });
    expect(noteSilence(silent, heardAt, 20_000)).toBe(silent);
  });

  test("is silent no more with its next word", () => {
    const silent = { known: { a: { ...entry, silentSinceMs: 1_000 } }, heard: {} };
    const { fleet, isMembershipChanged } = hear(silent, receiptOf("a"), 50_000);
    expect([fleet.known, isMembershipChanged]).toEqual([{ a: entry }, true]);
  });
});

import { describe, expect, test } from "vitest";
import type { Lease } from "../../../src/contract/rules.ts";
import { observe, takenLease, waitFor } from "../../../src/controller/lease-rules.ts";

const lease = (change: Partial<Lease> = {}): Lease => ({ format: 1, holder: "a", term: 4, beat: 9, renewedAtMs: 0, ...change });
const seenAt = (sequence: number, monotonicMs: number, seen: Lease | undefined = lease()) =>
  observe(undefined, { sequence, lease: seen }, monotonicMs);

describe("a candidate", () => {
  test.each([
    { title: "takes a lease that never was at once", watch: seenAt(0, 50, undefined), nowMs: 50, waitMs: 0 },
    { title: "takes a released one at once", watch: seenAt(7, 50, lease({ released: true })), nowMs: 50, waitMs: 0 },
    { title: "waits a whole lease from its own first look", watch: seenAt(7, 50), nowMs: 50, waitMs: 4_000 },
    { title: "still waits one millisecond before the end", watch: seenAt(7, 50), nowMs: 4_049, waitMs: 1 },
    { title: "takes a lease that has not changed for its length", watch: seenAt(7, 50), nowMs: 4_050, waitMs: 0 },
    {
      title: "waits out an unreadable one, too",
      watch: observe(undefined, { sequence: 7, lease: undefined }, 50),
      nowMs: 51,
      waitMs: 3_999,
    },
  ])("$title", ({ watch, nowMs, waitMs }) => {
    expect(waitFor(watch, nowMs, 4_000, undefined)).toBe(waitMs);
  });

  test("starts its wait anew with each renewal, also when the sequence went back with the store", () => {
    const watch = seenAt(7, 0);
    expect(observe(watch, { sequence: 7, lease: lease() }, 900).sinceMs).toBe(0);
    expect([8, 3].map((sequence) => observe(watch, { sequence, lease: lease() }, 900).sinceMs)).toEqual([900, 900]);
  });

  test("need not wait for its own last term, only for another's", () => {
    expect(waitFor(seenAt(7, 0), 1, 4_000, { holder: "a", term: 4 })).toBe(0);
    expect(waitFor(seenAt(7, 0), 1, 4_000, { holder: "a", term: 3 })).toBe(3_999);
  });

  test.each([
    { title: "begins with term 1", seen: { sequence: 0, lease: undefined }, term: 1 },
    { title: "takes the next term", seen: { sequence: 70, lease: lease() }, term: 5 },
    { title: "takes a term beyond any before when the lease is unreadable", seen: { sequence: 70, lease: undefined }, term: 71 },
  ])("$title", ({ seen, term }) => {
    expect(takenLease(seen, "b", 5)).toEqual({ format: 1, holder: "b", term, beat: 0, renewedAtMs: 5 });
  });
});

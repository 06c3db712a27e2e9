import { describe, expect, test } from "vitest";
import { hashAfter } from "../../../../src/core/judge/inputs.ts";
import type { EvidenceBatch, Half, JudgePolicy } from "../../../../src/core/judge/types.ts";
import { batchAt, failing, failingUsers, judgeAll, none, policy, repeated } from "../../../support/judge-inputs.ts";

const own = [{ name: "orders", harm: "lower", tolerated: 0.1, weight: "critical" }] as const;
const full: JudgePolicy = { ...policy, errorObjective: 0.01, own };
const halfOf = (requests: number, newly: number): Half => ({
  requests,
  failed: 1,
  latency: [requests, 2],
  users: { newly, knownRequests: 1 },
});

/** A batch that says all that one can say. */
const batch: EvidenceBatch = {
  ...batchAt(1_000, {
    stable: { ...halfOf(1_000, 3), decided: 1_001, settled: 1_000 },
    canary: { ...halfOf(100, 2), decided: 100, settled: 99 },
  }),
  halves: { hosts: halfOf(500, 2), keys: halfOf(480, 1) },
  split: { shareBp: 1_000, canary: 100, all: 1_100 },
  own: { orders: { canaryHits: 3, canary: 10, stableHits: 30, stable: 100 } },
};

/** Copies of a value, each with another of its numbers changed by one; by the path to it. */
function changes(value: unknown, path = ""): [path: string, changed: unknown][] {
  if (typeof value === "number") return [[path, value + 1]];
  if (Array.isArray(value))
    return value.flatMap((item, at) =>
      changes(item, `${path}[${at}]`).map(([to, changed]): [string, unknown] => [to, value.with(at, changed)]),
    );
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    changes(item, `${path}.${key}`).map(([to, changed]): [string, unknown] => [to, { ...value, [key]: changed }]),
  );
}
const WITHOUT = ["halves", "split", "own"] as const;

describe("the hash of all inputs", () => {
  const hash = hashAfter("", full, batch);

  test("is 16 hex digits, the same for the same", () => {
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(hashAfter("", structuredClone(full), structuredClone(batch))).toBe(hash);
    expect(hashAfter(hash, full, batch)).toMatch(/^[0-9a-f]{16}$/);
  });

  test("is another with each number of the batch", () => {
    const told = changes(batch);
    expect(told.length).toBeGreaterThan(30);
    const hashes = told.map(([, changed]) => hashAfter("", full, changed as EvidenceBatch)); // Of the same shape.
    expect(new Set([hash, ...hashes]).size).toBe(told.length + 1);
  });

  test("is another with each number and word of the policy", () => {
    const told = changes(full).map(([, changed]) => changed as JudgePolicy); // Of the same shape.
    const [{ name, ...rest }] = own;
    const worded = [
      { ...full, own: [{ ...rest, name: `${name}2` }] },
      { ...full, own: [{ ...own[0], harm: "higher" as const }] },
    ];
    const shorter = [{ ...full, own: [] }, { ...full, own: [{ ...own[0], weight: 30 }] }, policy];
    const hashes = [...told, ...worded, ...shorter].map((each) => hashAfter("", each, batch));
    expect(new Set([hash, ...hashes]).size).toBe(hashes.length + 1);
  });

  test("tells what was not told from zeros", () => {
    const { users: _users, ...untold } = failingUsers(0, 10, { newly: 0, knownRequests: 0 });
    const batches: EvidenceBatch[] = [
      { ...batch, canary: failingUsers(0, 10, { newly: 0, knownRequests: 0 }) },
      { ...batch, canary: untold },
      ...WITHOUT.map((part) => {
        const { [part]: _part, ...others } = batch;
        return others;
      }),
      { ...batch, halves: { hosts: none } },
      { ...batch, halves: { keys: none } },
    ];
    expect(new Set([hash, ...batches.map((each) => hashAfter("", full, each))]).size).toBe(batches.length + 1);
  });

  test("does not depend on the order in which own counts are told", () => {
    const counts = { canaryHits: 3, canary: 10, stableHits: 30, stable: 100 };
    const other = { ...counts, canary: 20 };
    expect(hashAfter("", full, { ...batch, own: { a: counts, b: other } })).toBe(
      hashAfter("", full, { ...batch, own: { b: other, a: counts } }),
    );
  });

  test("tells large counts apart, also beyond 32 bits", () => {
    const hashes = [0, 2 ** 32, 2 ** 33, 2 ** 40, 2 ** 40 + 2 ** 32].map((nowMs) => hashAfter("", full, { ...batch, nowMs }));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test("stands in each record, and is of all batches in their order", () => {
    const batches = [...repeated(3, { stable: failing(1, 10) }), ...repeated(2, { canary: failing(1, 10) }, 3_000)];
    const [a, b] = [judgeAll(batches), judgeAll(structuredClone(batches))];
    const hashes = a.records.map(({ inputs }) => inputs);
    expect(b.records.map(({ inputs }) => inputs)).toEqual(hashes);
    expect(new Set(hashes).size).toBe(batches.length);
    expect(judgeAll(batches.slice(1)).records.at(-1)?.inputs).not.toBe(hashes.at(-1));
  });
});

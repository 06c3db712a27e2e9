import { describe, expect, test } from "vitest";
import { HARM_BUDGET, REACTION_MS, RELAXED, RELAXED_ODDS } from "../../../../src/core/judge/parameters.ts";
import { safeShareBp } from "../../../../src/core/judge/safe-share.ts";
import type { EvidenceBatch, OwnCheck } from "../../../../src/core/judge/types.ts";
import { type BatchParts, batchAt, failing, judgeAll, policy, repeated } from "../../../support/judge-inputs.ts";

const HARMS = [1, 0.8, 0.4, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001];
const RELAXED_S = RELAXED[0].afterMs / 1_000;
const RATES = [0, 0.1, 1, 10, 100, 1_000, 10_000, 100_000];

describe("the safe share", () => {
  test.each(RATES)("grows as what is not disproven falls, at %d requests a second, and is one half at the most", (rate) => {
    for (const of of [(harm: number) => ({ errors: harm, slow: 0 }), (harm: number) => ({ errors: 0.001, slow: harm })]) {
      const shares = HARMS.map((harm) => safeShareBp(of(harm), rate));
      expect(shares).toEqual(shares.toSorted((a, b) => a - b));
      expect(Math.max(...shares)).toBeLessThanOrEqual(5_000);
    }
  });

  test.each([1, 0.5, 0.2, 0.11])("costs no more than the budget until it is seen, where so much may fail: %d", (errors) => {
    for (const rate of [200, 5_000, 100_000]) {
      const harmed = (safeShareBp({ errors, slow: 0 }, rate) / 10_000) * rate * (REACTION_MS / 1_000) * errors;
      expect(harmed).toBeLessThanOrEqual(HARM_BUDGET);
    }
  });

  test("is the smaller the more traffic there is", () => {
    const shares = RATES.map((rate) => safeShareBp({ errors: 1, slow: 1 }, rate));
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
    expect(Math.min(...shares)).toBeLessThan(Math.max(...shares));
  });

  test("takes failed requests more seriously than slow ones", () => {
    expect(safeShareBp({ errors: 0.4, slow: 0 }, 1_000)).toBeLessThan(safeShareBp({ errors: 0.001, slow: 0.4 }, 1_000));
  });
});

describe("the judge's safe share", () => {
  /** Stable fails once a second, for a minute each on one half of its hosts, so that a minute counts as little more than once. */
  const clumped = (times: number, parts: BatchParts): EvidenceBatch[] =>
    Array.from({ length: times }, (_, second) =>
      batchAt((second + 1) * 1_000, {
        stable: failing(1, 1_000),
        canary: failing(0, 20),
        halves: { hosts: failing(Math.floor(second / 60) % 2 === 0 ? 1 : 0, 500) },
        ...parts,
      }),
    );

  test("never falls while a canary does well, and is everybody only when that is proven", () => {
    const { records } = judgeAll(repeated(120, { stable: failing(1, 1_000), canary: failing(0, 100) }));
    const all = records.map(({ safeShareBp: share }) => share);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect(all.filter((share) => share > 5_000 && share < 10_000)).toEqual([]);
    const isProven = records.map(({ checks: [errors] }) => errors?.upper != null && errors.upper <= 0.005);
    expect(all.map((share) => share === 10_000)).toEqual(isProven);
  });

  test("may be everybody below stable's own ratio, which says more than a fixed difference where much fails anyway", () => {
    const { records } = judgeAll(repeated(400, { stable: failing(50, 1_000), canary: failing(5, 100) }));
    const first = records.find(({ safeShareBp: share }) => share === 10_000);
    expect(first?.checks[0]?.upper).toBeGreaterThan(0.005);
    expect(first?.checks[0]?.upper).toBeLessThanOrEqual(0.05);
  });

  test("is everybody at twice the rise where failures come in large clumps and nothing has spoken for harm for long, and not before", () => {
    const all = judgeAll(clumped(RELAXED_S + 10, {})).records;
    const first = all.findIndex(({ safeShareBp: share }) => share === 10_000);
    expect(first).toBeGreaterThanOrEqual(RELAXED_S - 1);
    expect(first).toBeLessThanOrEqual(RELAXED_S + 1);
    expect(all[first]?.checks[0]).toMatchObject({ upper: 2 * policy.errorProof });
  });

  test("is not relaxed where failures come one by one", () => {
    const { records } = judgeAll(repeated(RELAXED_S + 10, { stable: failing(1, 1_000), canary: failing(0, 3) }));
    expect(records.at(-1)).toMatchObject({ verdict: "advance", safeShareBp: 5_000 });
    expect(records.at(-1)?.checks[0]?.upper).toBeLessThanOrEqual(2 * policy.errorProof);
  });

  test("is not relaxed while anything speaks for harm, be it another check", () => {
    const own: OwnCheck[] = [{ name: "orders", harm: "lower", tolerated: 0.1, weight: "critical" }];
    const told = (canaryHits: number) => ({ own: { orders: { canaryHits, canary: 10, stableHits: 500, stable: 1_000 } } });
    const fineS = RELAXED_S + 10;
    const worse = { stable: failing(1, 1_000), canary: failing(0, 20), ...told(1) };
    const { records } = judgeAll([...clumped(fineS, told(5)), ...repeated(20, worse, 1_000 * fineS)], { ...policy, own });
    expect(records[fineS - 1]).toMatchObject({ verdict: "advance", safeShareBp: 10_000 });
    const suspected = records.filter(({ odds }) => odds >= RELAXED_ODDS && odds < 1 / policy.alpha).map((each) => each.safeShareBp);
    expect(suspected.length).toBeGreaterThan(0);
    expect(suspected).not.toContain(10_000);
  });

  test("of a ramp is as if there were next to no traffic, before any time has passed in which there was some", () => {
    const { records } = judgeAll([batchAt(0, { stable: failing(0, 1_000), canary: failing(0, 1_000) })], { ...policy, isRamp: true });
    expect(records.at(-1)?.rate).toBeUndefined();
    expect(records.at(-1)?.safeShareBp).toBe(5_000);
  });
});

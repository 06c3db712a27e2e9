import { describe, expect, test } from "vitest";
import { type Verdict, type VerdictRecord, VerdictRecordSchema } from "../../../../src/contract/verdict.ts";
import { type OutsideFinding, withOutside } from "../../../../src/core/judge/outside.ts";

const recordWith = (verdict: Verdict): VerdictRecord => ({
  verdict,
  reason: "errors fine",
  proven: "",
  odds: 1,
  alpha: 0.01,
  safeShareBp: 2_500,
  checks: [],
  unended: { stable: 0, canary: 0 },
  atMs: 5,
  sinceMs: 0,
  run: 1,
  runSample: 10,
  inputs: "",
});

const finding = (verdict: Verdict, isCritical: boolean, name = "smoke"): OutsideFinding => ({
  name,
  isCritical,
  verdict,
  reason: `says ${verdict}`,
});

describe("what is not bet on joins the verdict", () => {
  test.each([
    { of: "advance", says: "rollback", isCritical: true, verdict: "rollback", reason: "smoke: says rollback" },
    { of: "unknown", says: "rollback", isCritical: true, verdict: "rollback", reason: "smoke: says rollback" },
    { of: "rollback", says: "rollback", isCritical: true, verdict: "rollback", reason: "errors fine; smoke: says rollback" },
    { of: "advance", says: "hold", isCritical: true, verdict: "hold", reason: "smoke: says hold" },
    { of: "advance", says: "unknown", isCritical: true, verdict: "hold", reason: "smoke: says unknown" },
    { of: "advance", says: "advance", isCritical: true, verdict: "advance", reason: "errors fine" },
    { of: "hold", says: "unknown", isCritical: true, verdict: "hold", reason: "errors fine; smoke: says unknown" },
    { of: "unknown", says: "hold", isCritical: true, verdict: "hold", reason: "smoke: says hold" },
    { of: "unknown", says: "unknown", isCritical: true, verdict: "hold", reason: "smoke: says unknown" },
    { of: "unknown", says: "advance", isCritical: true, verdict: "unknown", reason: "errors fine" },
    { of: "unknown", says: "hold", isCritical: false, verdict: "unknown", reason: "errors fine; smoke: says hold" },
    { of: "advance", says: "rollback", isCritical: false, verdict: "advance", reason: "errors fine; smoke: says rollback" },
    { of: "advance", says: "hold", isCritical: false, verdict: "advance", reason: "errors fine; smoke: says hold" },
    { of: "advance", says: "unknown", isCritical: false, verdict: "advance", reason: "errors fine" },
    { of: "rollback", says: "advance", isCritical: true, verdict: "rollback", reason: "errors fine" },
  ] as const)("$of with $says, critical $isCritical: $verdict", ({ of, says, isCritical, verdict, reason }) => {
    const joined = withOutside(recordWith(of), [finding(says, isCritical)]);
    expect([joined.verdict, joined.reason]).toEqual([verdict, reason]);
    expect(joined.checks).toMatchObject([{ name: "smoke", verdict: says, weight: 0 }]);
  });

  test("a rollback leaves no safe share, a hold leaves it to the judge", () => {
    expect(withOutside(recordWith("advance"), [finding("rollback", true)]).safeShareBp).toBe(0);
    expect(withOutside(recordWith("advance"), [finding("hold", true)]).safeShareBp).toBe(2_500);
  });

  test("the worst of several critical ones is obeyed, whatever their order", () => {
    const joined = withOutside(recordWith("advance"), [finding("hold", true, "slow"), finding("rollback", true, "smoke")]);
    expect(joined).toMatchObject({ verdict: "rollback", reason: "smoke: says rollback" });
  });

  test("all that doubt are named", () => {
    const joined = withOutside(recordWith("advance"), [
      finding("hold", false, "cpu"),
      finding("unknown", true, "a"),
      finding("hold", true, "b"),
    ]);
    expect(joined).toMatchObject({ verdict: "hold", reason: "a: says unknown; cpu: says hold; b: says hold" });
  });

  test("nothing to join leaves the record as it is", () => {
    const record = recordWith("advance");
    expect(withOutside(record, [])).toBe(record);
  });

  test("a gauge brings its figures, and the record stays one of the contract", () => {
    const gauge = { verdict: "hold", stable: 0.5, canary: 0.75, threshold: 0.1, lower: 0.2, upper: 0.3, blocks: 40 } as const;
    const { checks, ...rest } = withOutside(recordWith("advance"), [{ ...finding("hold", false, "cpu"), gauge }]);
    expect(checks).toMatchObject([{ stable: 0.5, canary: 0.75, difference: 0.25, upper: 0.3, threshold: 0.1, canarySample: 40 }]);
    expect(VerdictRecordSchema.safeParse({ ...rest, checks }).success).toBe(true);
  });

  test("a check that the judge bets on keeps the judge's figures", () => {
    const known = withOutside(recordWith("advance"), [finding("advance", true)]);
    expect(withOutside(known, [finding("unknown", true)])).toMatchObject({ verdict: "hold", checks: known.checks });
  });
});

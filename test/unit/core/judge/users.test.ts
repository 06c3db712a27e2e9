import { describe, expect, test } from "vitest";
import { batchAt, checkIn, failing, failingUsers, judgeAll, lastRecord, policy, repeated } from "../../../support/judge-inputs.ts";

const NOBODY = { newly: 0, knownRequests: 0 };
const stable = failingUsers(0, 900, NOBODY);

/** The moment from which the canary may go to everybody, as an index; -1 when it never may. */
const clearedAt = (canary: ReturnType<typeof failing>): number =>
  judgeAll(repeated(120, { stable, canary })).records.findIndex(({ safeShareBp }) => safeShareBp === 10_000);

describe("broken clients that were known before the rollout, all of them on the canary", () => {
  const broken = failingUsers(10, 100, { newly: 0, knownRequests: 10 });

  test("neither take it back nor delay it", () => {
    const { records } = judgeAll(repeated(120, { stable, canary: broken }));
    expect(records.some(({ verdict }) => verdict === "rollback" || verdict === "hold")).toBe(false);
    expect(clearedAt(broken)).toBeGreaterThan(0);
    expect(clearedAt(broken)).toBe(clearedAt(failingUsers(0, 100, NOBODY)));
  });

  test("would take it back if nobody knew them", () => {
    const { record } = judgeLast(failing(10, 100));
    expect(record.verdict).toBe("rollback");
  });
});

describe("a canary that breaks", () => {
  const judged = (first: ReturnType<typeof failing>, then: ReturnType<typeof failing>) =>
    judgeAll([batchAt(1_000, { stable, canary: first }), ...repeated(60, { stable, canary: then }, 1_000)]).records;

  test("the same few users every time is taken back by their requests", () => {
    const records = judged(failingUsers(3, 100, { newly: 3, knownRequests: 0 }), failingUsers(3, 100, NOBODY));
    const back = records.find(({ verdict }) => verdict === "rollback");
    expect(back?.reason).toMatch(/^errors 3 % on canary against 0 % on stable/);
    const last = records.at(-1);
    expect(last && checkIn(last, "errors").verdict).toBe("rollback");
    expect(last && checkIn(last, "newly failing users").verdict).toBe("advance");
  });

  test("many users once each is taken back by these users", () => {
    const each = failingUsers(3, 100, { newly: 3, knownRequests: 0 });
    const back = judged(each, each).find(({ verdict }) => verdict === "rollback");
    expect(back?.reason).toMatch(/^newly failing users 3 % on canary against 0 % on stable/);
  });

  test("one user that asks again and again proves nothing against safety: users are asked, not requests", () => {
    const records = judged(failingUsers(1, 100, { newly: 1, knownRequests: 0 }), failingUsers(0, 100, NOBODY));
    const last = records.at(-1);
    expect(last && checkIn(last, "errors").upper).toBeNull();
    expect(last && checkIn(last, "newly failing users").upper).toBeLessThan(0.05);
    expect(last?.proven).toMatch(/ in newly failing users$/);
  });

  test("more known users than requests, by sketches that estimate, counts no failure below none", () => {
    const last = lastRecord(repeated(10, { stable, canary: failingUsers(2, 100, { newly: 300, knownRequests: 5 }) }));
    expect(checkIn(last, "errors").canary).toBe(0);
    expect(checkIn(last, "newly failing users").canary).toBe(1);
  });
});

describe("where nobody knows users", () => {
  test("requests are the one check of errors, with the weight of both", () => {
    const [told, untold] = [judgeLast(failingUsers(0, 100, NOBODY)).record, judgeLast(failing(0, 100)).record];
    expect(told.checks.map(({ name }) => name)).toEqual(["newly failing users", "errors", "slow p50", "slow p90", "slow p99"]);
    expect(untold.checks.map(({ name }) => name)).toEqual(["errors", "slow p50", "slow p90", "slow p99"]);
    const [newly, errors] = [checkIn(told, "newly failing users"), checkIn(told, "errors")];
    expect(checkIn(untold, "errors").weight).toBeCloseTo(newly.weight + errors.weight, 12);
    for (const { checks } of [told, untold]) expect(checks.reduce((all, { weight }) => all + weight, 0)).toBeCloseTo(1, 12);
  });
});

const judgeLast = (canary: ReturnType<typeof failing>) => ({ record: lastRecord(repeated(60, { stable, canary }), policy) });

import { describe, expect, test } from "vitest";
import { LATENCY_BOUNDS_MS } from "../../../../src/contract/names.ts";
import { type OverdueChange, overdueAfter, startOverdue, unendedAbove } from "../../../../src/core/judge/overdue.ts";
import { EVIDENCE_LAG_MS, OVERDUE_MS } from "../../../../src/core/judge/parameters.ts";
import type { OverdueState } from "../../../../src/core/judge/state.ts";
import type { Outcomes } from "../../../../src/core/judge/types.ts";
import { batchAt, judgeAll, none, policy, SINCE_MS } from "../../../support/judge-inputs.ts";

/** What stands after a batch, and what the batch changed. */
type Seen = OverdueState & Pick<OverdueChange, "change">;

const indexOf = (ms: number): number => LATENCY_BOUNDS_MS.findIndex((bound) => bound === ms);
const AGE_S = (OVERDUE_MS + EVIDENCE_LAG_MS) / 1_000;

/** `late` requests that ended after 10 s to 30 s, among those settled. */
const said = (decided: number, settled: number, late = 0): Outcomes => {
  const latency = [...LATENCY_BOUNDS_MS, 0].map(() => 0);
  latency[indexOf(50)] = settled - late;
  latency[indexOf(30_000)] = late;
  return { ...none, decided, settled, requests: settled, latency };
};

/** One batch a second, from the first second on. */
function overdueOf(batches: readonly Outcomes[]): Seen[] {
  let state = startOverdue(0);
  return batches.map((batch, index) => {
    const after = overdueAfter(state, batch, { nowMs: 1_000 * (index + 1), boundsMs: LATENCY_BOUNDS_MS });
    ({ state } = after);
    return { ...state, change: after.change };
  });
}
const seconds = (count: number, batch: Outcomes): Outcomes[] => Array.from({ length: count }, () => batch);
const unended = (states: readonly Seen[]): number[] => states.map((state) => state.unended);

test("an age that is no latency bound could not be told from outcomes", () => {
  expect(LATENCY_BOUNDS_MS).toContain(OVERDUE_MS);
});

describe("requests that have not ended", () => {
  test("are overdue once they have had the time to end, and their end the time to be heard of", () => {
    const states = overdueOf([said(10, 0), ...seconds(AGE_S + 1, none)]);
    expect(unended(states)).toEqual([...new Array<number>(AGE_S).fill(0), 10, 10]);
    expect(states.map(({ change }) => change)).toEqual([...new Array<number>(AGE_S).fill(0), 10, 0]);
  });

  test("are never those that ended, however many there are", () => {
    expect(unended(overdueOf(seconds(100, said(50, 50))))).toEqual(new Array<number>(100).fill(0));
  });

  test("are found among many that end when they are more than may be under way", () => {
    const states = overdueOf(seconds(100, said(50, 40)));
    // 10 more each second; the last so many seconds' 50 each may all still end.
    expect(states.findIndex((state) => state.unended > 0)).toBe(AGE_S * (50 / 10));
    expect(states.at(-1)?.unended).toBe(1_000 - AGE_S * 50);
  });

  test("count once: a late outcome takes the place of the request that was counted", () => {
    const [before, after] = overdueOf([said(10, 0), ...seconds(AGE_S, none), said(0, 4, 4)]).slice(-2);
    expect([before?.unended, after?.unended, after?.change]).toEqual([10, 6, -4]);
  });

  test("count once when the late outcome and the time to miss it come together", () => {
    const after = overdueOf([said(10, 0), ...seconds(AGE_S - 1, none), said(0, 10, 10)]).at(-1);
    expect([after?.unended, after?.change]).toEqual([0, 0]);
  });

  test("flow: streams that last are slow at the rate at which they begin", () => {
    const states = overdueOf([...seconds(20, said(10, 0)), ...seconds(100, said(10, 10, 10))]);
    const changes = states.slice(-50).map(({ change }) => change);
    // What ended late is among the outcomes already.
    expect(changes).toEqual(new Array<number>(50).fill(0));
    expect(states.at(-1)?.unended).toBe(200 - AGE_S * 10);
  });

  test("that ended in time after all, as when a sidecar was not heard for a while, are forgotten within two minutes", () => {
    const outage = [...seconds(5, said(10, 10)), ...seconds(20, said(10, 0)), said(10, 210)];
    const states = overdueOf([...outage, ...seconds(130, said(10, 10))]);
    expect(states[outage.length - 1]?.unended).toBeGreaterThan(0);
    expect([states.at(-1)?.unended, states.at(-1)?.change]).toEqual([0, 0]);
    // From then on what hangs is found as if nothing had been.
    const hanging = overdueOf([...outage, ...seconds(130, said(10, 10)), ...seconds(30, said(10, 0))]);
    expect(hanging.at(-1)?.unended).toBeGreaterThan(200);
  });

  test("take little room however long the rollout and however often evidence comes", () => {
    let state = startOverdue(0);
    for (let atMs = 0; atMs < 600_000; atMs += 100)
      ({ state } = overdueAfter(state, said(1, 1), { nowMs: atMs, boundsMs: LATENCY_BOUNDS_MS }));
    expect(state.marks.length).toBeLessThanOrEqual(AGE_S + 2);
  });

  test("say nothing of a bound above their age", () => {
    const counted = [indexOf(OVERDUE_MS), indexOf(OVERDUE_MS) + 1].map((bound) => unendedAbove(bound, 3, LATENCY_BOUNDS_MS));
    expect(counted).toEqual([3, 0]);
  });
});

describe("a canary that hangs", () => {
  const stable = said(100, 100);
  const usual = Array.from({ length: 10 }, (_, index) => batchAt(1_000 * (index + 1), { stable }));
  const after = (count: number, canary: Outcomes, beside: Outcomes = stable) =>
    Array.from({ length: count }, (_, index) => batchAt(1_000 * (index + 11), { stable: beside, canary }));

  test("and has no outcome at all is rolled back within seconds of the age, and the verdict says why", () => {
    const { records } = judgeAll([...usual, ...after(AGE_S + 6, said(5, 0))]);
    const last = records.at(-1);
    expect(last).toMatchObject({ verdict: "rollback", unended: { stable: 0 } });
    expect(last?.reason).toMatch(
      /^slow p\d\d \(above 50 ms\) 100 % on canary against 0 % on stable over the whole rollout: .*; \d+ of the canary's requests not ended after 2 s$/,
    );
    expect(last?.checks[2]).toMatchObject({ canary: 1, canarySample: last?.unended.canary });
  });

  test("as stable does is not blamed for it", () => {
    const both = judgeAll([...usual, ...after(120, said(5, 2), said(100, 40))]);
    expect(both.records.some(({ verdict }) => verdict === "rollback")).toBe(false);
    expect(both.records.at(-1)?.unended).toEqual({ stable: expect.any(Number), canary: expect.any(Number) });
    expect(both.records.at(-1)?.unended.canary).toBeGreaterThan(100);
  });

  test("is not one whose sessions stay open: they are settled with their decision", () => {
    const { records } = judgeAll([...usual, ...after(60, said(5, 5))]);
    expect(records.at(-1)?.unended).toEqual({ stable: 0, canary: 0 });
    expect(records.some(({ verdict }) => verdict === "rollback")).toBe(false);
  });

  test("is in the state that the next leader reads", () => {
    const { state } = judgeAll([...usual, ...after(AGE_S + 1, said(5, 0))]);
    expect(state.overdue.canary).toMatchObject({ decided: 5 * (AGE_S + 1), settled: 0, unended: 5 });
    expect([state.nowMs - SINCE_MS, policy.minSample]).toEqual([1_000 * (10 + AGE_S + 1), 50]);
  });
});

import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { LATENCY_BOUNDS_MS } from "../../src/contract/names.ts";
import { type OverdueChange, overdueAfter, startOverdue } from "../../src/core/judge/overdue.ts";
import { EVIDENCE_LAG_MS, OVERDUE_MS } from "../../src/core/judge/parameters.ts";
import { none } from "../support/judge-inputs.ts";

const BEGIN_S = 60;
const LAST_S = 200;
const LATE_BUCKET = LATENCY_BOUNDS_MS.length;

/** Requests that begin in the first minute, and last as long or for ever. */
interface Request {
  readonly atMs: number;
  readonly durationMs: number;
}
const request: fc.Arbitrary<Request> = fc.record({
  atMs: fc.integer({ min: 0, max: BEGIN_S * 1_000 }),
  durationMs: fc.oneof(fc.integer({ min: 0, max: OVERDUE_MS }), fc.integer({ min: 0, max: 30_000 }), fc.constant(Number.POSITIVE_INFINITY)),
});

/** Two sidecars, one that decides and one that hears of the ends, each late by up to this in each second. */
const lags = fc.array(fc.integer({ min: 0, max: EVIDENCE_LAG_MS }), { minLength: LAST_S, maxLength: LAST_S });

/** What is known in each second: of what was decided or has ended, what had been told by then. Nothing told is untold later. */
function toldBy(lag: readonly number[]): number[] {
  let told = 0;
  return lag.map((lateMs, second) => (told = Math.max(told, second * 1_000 - lateMs)));
}

interface Moment extends OverdueChange {
  /** Outcomes that took longer than the age, among those told. */
  readonly late: number;
}

function moments(requests: readonly Request[], decidedLag: readonly number[], endedLag: readonly number[]): Moment[] {
  const [decidedBy, endedBy] = [toldBy(decidedLag), toldBy(endedLag)];
  let state = startOverdue(0);
  let before = { decided: 0, settled: 0, late: 0 };
  return decidedBy.map((decidedMs, second) => {
    const ended = requests.filter(({ atMs, durationMs }) => atMs + durationMs <= (endedBy[second] ?? 0));
    const now = {
      decided: requests.filter(({ atMs }) => atMs <= decidedMs).length,
      settled: ended.length,
      late: ended.filter(({ durationMs }) => durationMs > OVERDUE_MS).length,
    };
    const latency = new Array<number>(LATE_BUCKET + 1).fill(0);
    latency[LATE_BUCKET] = now.late - before.late;
    const batch = { ...none, decided: now.decided - before.decided, settled: now.settled - before.settled, latency };
    const after = overdueAfter(state, batch, { nowMs: second * 1_000, boundsMs: LATENCY_BOUNDS_MS });
    ({ state } = after);
    before = now;
    return { ...after, late: now.late };
  });
}

describe("requests counted as overdue", () => {
  test.prop([fc.array(request, { maxLength: 60 }), lags, lags])(
    "are never more than have lasted so long, whatever is told how late",
    (requests, decidedLag, endedLag) => {
      for (const [second, { state, late }] of moments(requests, decidedLag, endedLag).entries()) {
        const trulySlow = requests.filter(({ atMs, durationMs }) => durationMs > OVERDUE_MS && atMs + OVERDUE_MS < second * 1_000).length;
        expect(state.unended + late).toBeLessThanOrEqual(trulySlow);
      }
    },
  );

  test.prop([fc.array(request, { maxLength: 60 }), lags, lags])(
    "are all that never end, once the others have",
    (requests, decidedLag, endedLag) => {
      const endless = requests.filter(({ durationMs }) => durationMs === Number.POSITIVE_INFINITY).length;
      expect(moments(requests, decidedLag, endedLag).at(-1)?.state.unended).toBe(endless);
    },
  );

  test.prop([fc.array(request, { maxLength: 60 }), lags, lags])(
    "add to the outcomes what they take from them: each request is one more at the most",
    (requests, decidedLag, endedLag) => {
      let [slow, before] = [0, 0];
      for (const { change, late } of moments(requests, decidedLag, endedLag)) {
        const added = late - before + change;
        before = late;
        expect(added).toBeGreaterThanOrEqual(0);
        slow += added;
      }
      expect(slow).toBeLessThanOrEqual(requests.filter(({ durationMs }) => durationMs > OVERDUE_MS).length);
    },
  );
});

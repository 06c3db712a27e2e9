import { describe, expect, test } from "vitest";
import type { EvidenceBatch, Outcomes } from "../../../../src/core/judge/types.ts";
import { batchAt, judgeAll, SINCE_MS, simulated, type Tick } from "../../../support/judge-inputs.ts";
import { randomOf } from "../../../support/random.ts";

const FINE_MS = 250;
const COARSE = 20;

const plus = (a: Outcomes, b: Outcomes): Outcomes => ({
  decided: a.decided + b.decided,
  settled: a.settled + b.settled,
  requests: a.requests + b.requests,
  failed: a.failed + b.failed,
  latency: b.latency.map((count, bucket) => count + (a.latency[bucket] ?? 0)),
});

/** The same outcomes, twenty batches in one. */
function coarser(batches: readonly EvidenceBatch[]): EvidenceBatch[] {
  return Array.from({ length: batches.length / COARSE }, (_, index) => {
    const joined = batches
      .slice(index * COARSE, (index + 1) * COARSE)
      .reduce((a, b) => ({ ...b, stable: plus(a.stable, b.stable), canary: plus(a.canary, b.canary) }));
    return batchAt(joined.nowMs - SINCE_MS, joined);
  });
}

describe("the same outcomes lead to nearly the same, told every quarter second or every 5 s", () => {
  const medianMs = 20;
  const stable = { failing: 0.001, medianMs };
  test.each([
    { title: "a good canary", canary: stable },
    { title: "2 % failing", canary: { failing: 0.02, medianMs } },
    { title: "20 % failing", canary: { failing: 0.2, medianMs } },
    { title: "twice as slow", canary: { failing: 0.001, medianMs: 40 } },
  ])("$title", ({ canary }) => {
    const tick: Tick = { requests: 175, share: 0.1, stable, canary };
    const fine = simulated(randomOf(11), new Array<Tick>(60_000 / FINE_MS).fill(tick), FINE_MS);
    const [often, seldom] = [judgeAll(fine).records, judgeAll(coarser(fine)).records];
    expect(seldom.at(-1)?.verdict).toBe(often.at(-1)?.verdict);
    const backMs = ([often, seldom] as const).map((records) => records.find(({ verdict }) => verdict === "rollback")?.atMs ?? 0);
    expect(Math.abs((backMs[1] ?? 0) - (backMs[0] ?? 0))).toBeLessThanOrEqual(10_000);
    const upper = ([often, seldom] as const).map((records) => records.at(-1)?.checks[0]?.upper ?? 1);
    expect((upper[1] ?? 0) / (upper[0] ?? 1)).toBeLessThanOrEqual(2);
    expect((upper[0] ?? 0) / (upper[1] ?? 1)).toBeLessThanOrEqual(2);
  });
});

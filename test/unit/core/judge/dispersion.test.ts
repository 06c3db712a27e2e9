import { describe, expect, test } from "vitest";
import { disperse, dispersionOf, type HalfCounts, startDispersion } from "../../../../src/core/judge/dispersion.ts";
import { BLOCK_MS, DISPERSION } from "../../../../src/core/judge/parameters.ts";
import type { DispersionState } from "../../../../src/core/judge/state.ts";
import type { EvidenceBatch } from "../../../../src/core/judge/types.ts";
import { batchAt, checkIn, failing, failingUsers, judgeAll, lastRecord } from "../../../support/judge-inputs.ts";
import { binomial, randomOf } from "../../../support/random.ts";

const half = (halfHits: number, hits: number): HalfCounts => ({ halfHits, half: 500, hits, all: 1_000 });
const unknown = startDispersion();

/** One count a block, from the first block on; a last empty one ends the last block. */
const after = (counts: readonly HalfCounts[]): DispersionState =>
  [...counts, half(0, 0)].reduce((state, each, index) => disperse(state, each, (1_000 + index) * BLOCK_MS), startDispersion());

/** So many events a block, of which chance gives the half its part. */
const fair = (blocks: number, events: number): HalfCounts[] => {
  const random = randomOf(3);
  return Array.from({ length: blocks }, () => half(binomial(random, events, 0.5), events));
};
/** The same number, in clumps of ten that fall to one half whole. */
const clumped = (blocks: number, events: number): HalfCounts[] => {
  const random = randomOf(4);
  return Array.from({ length: blocks }, () => half(10 * binomial(random, events / 10, 0.5), events));
};

describe("how many outcomes count as one", () => {
  const prior = dispersionOf(unknown, unknown);

  test("is the prior, raised as what is not known, without halves", () => {
    expect(prior).toBeGreaterThanOrEqual(DISPERSION.prior);
    expect(dispersionOf(after([half(0, 0)]), unknown)).toBe(prior);
  });

  test("falls towards the floor where halves differ by chance alone, and never below it", () => {
    const [few, many] = [60, 400].map((blocks) => dispersionOf(after(fair(blocks, 20)), unknown));
    expect(few).toBeLessThan(prior);
    expect(many).toBeLessThan(Number(few));
    expect(many).toBeLessThan(1.7);
    expect(dispersionOf(after(Array.from({ length: 400 }, () => half(10, 20))), unknown)).toBe(DISPERSION.floor);
  });

  test("is about the size of the clumps where failures come in clumps", () => {
    const measured = dispersionOf(after(clumped(400, 40)), unknown);
    expect(measured).toBeGreaterThan(7);
    expect(measured).toBeLessThan(25);
  });

  test("finds clumps that last for many blocks", () => {
    // For a minute all failures are of one half, then for a minute of the other; each 2 a block, hardly more than by chance.
    const lasting = Array.from({ length: 480 }, (_, index) => half(Math.floor(index / 12) % 2 === 0 ? 2 : 0, 2));
    const alternating = Array.from({ length: 480 }, (_, index) => half(index % 2 === 0 ? 2 : 0, 2));
    expect(dispersionOf(after(lasting), unknown)).toBeGreaterThan(2 * dispersionOf(after(alternating), unknown));
  });

  test("is the larger of hosts and keys where both are known, and the known one else", () => {
    const [even, uneven] = [after(fair(200, 20)), after(clumped(200, 40))];
    const [low, high] = [dispersionOf(even, unknown), dispersionOf(uneven, unknown)];
    expect([dispersionOf(even, uneven), dispersionOf(uneven, even)]).toEqual([high, high]);
    expect([dispersionOf(unknown, even), dispersionOf(unknown, uneven)]).toEqual([low, high]);
    expect(low).toBeLessThan(high);
  });

  test("says nothing where all are hits, as in an outage: halves cannot differ", () => {
    const all = Array.from({ length: 100 }, () => ({ halfHits: 500, half: 500, hits: 1_000, all: 1_000 }));
    expect(dispersionOf(after(all), unknown)).toBe(prior);
  });

  test("does not depend on how batches cut the time: blocks lie on the clock", () => {
    const whole = after(clumped(60, 40));
    let cut = startDispersion();
    for (const [index, { halfHits, half: part, hits, all }] of [...clumped(60, 40), half(0, 0)].entries()) {
      const atMs = (1_000 + index) * BLOCK_MS;
      cut = disperse(cut, { halfHits: 0, half: 0, hits: hits - halfHits, all: all - part }, atMs);
      cut = disperse(cut, { halfHits, half: part, hits: halfHits, all: part }, atMs + BLOCK_MS - 1);
    }
    expect(cut).toEqual(whole);
  });
});

describe("the judge", () => {
  /** Two minutes of stable before the canary, with failures that fall to halves as told. */
  const past = (halfFailed: (second: number) => number, by: "hosts" | "keys" = "hosts"): EvidenceBatch[] =>
    Array.from({ length: 600 }, (_, second) =>
      batchAt(second * 1_000, { stable: failing(4, 1_000), halves: { [by]: failing(halfFailed(second), 500) } }),
    );
  const even = past((second) => 1 + (second % 3));
  const uneven = past((second) => (Math.floor(second / 5) % 2 === 0 ? 4 : 0));
  const worse = Array.from({ length: 60 }, (_, second) =>
    batchAt(600_000 + second * 1_000, { stable: failing(4, 1_000), canary: failing(3, 100) }),
  );
  const judged = (batches: readonly EvidenceBatch[]) => {
    const { records } = judgeAll([...batches, ...worse]);
    const back = records.findIndex(({ verdict }) => verdict === "rollback");
    const last = records.at(-1);
    return { back, dispersion: last === undefined ? 0 : checkIn(last, "errors").dispersion };
  };

  test("divides its evidence by what halves of stable show, by hosts or by keys", () => {
    const [alike, different] = [judged(even), judged(uneven)];
    expect(alike.dispersion).toBeLessThan(1.5);
    expect(different.dispersion).toBeGreaterThan(2 * alike.dispersion);
    expect(alike.back).toBeGreaterThan(0);
    expect(different.back === -1 || different.back > alike.back).toBe(true);
    expect(judged(past((second) => (Math.floor(second / 5) % 2 === 0 ? 4 : 0), "keys")).dispersion).toBe(different.dispersion);
  });

  test("takes halves by what each check counts: clumps of one user's requests leave users that fail once as they are", () => {
    const batches = Array.from({ length: 600 }, (_, second) => {
      const [isFirst, newly] = [Math.floor(second / 5) % 2 === 0, { newly: 1 + (second % 3), knownRequests: 0 }];
      return batchAt(second * 1_000, {
        stable: failingUsers(8, 1_000, { newly: 4, knownRequests: 0 }),
        canary: failingUsers(0, 1, { newly: 0, knownRequests: 0 }),
        halves: { keys: failingUsers(isFirst ? 8 : 0, 500, newly) },
      });
    });
    const record = lastRecord(batches);
    expect(checkIn(record, "errors").dispersion).toBeGreaterThan(2 * checkIn(record, "newly failing users").dispersion);
  });
});

test("what is learned of stable while it waits for the canary counts from the bet after the next one on", () => {
  const uneven = { hosts: { requests: 500, failed: 20, latency: [] } };
  const odds = (halves: EvidenceBatch["halves"]): number[] => {
    const waiting = [6_000, 12_000, 18_000, 24_000].map((atMs) => batchAt(atMs, { stable: failing(20, 1_000), ...(halves && { halves }) }));
    const late = [25_000, 26_000].map((atMs) => batchAt(atMs, { stable: failing(20, 1_000), canary: failing(6, 100) }));
    const all = [batchAt(1_000, { stable: failing(20, 1_000), canary: failing(2, 100) }), ...waiting, ...late];
    return judgeAll(all).records.map((record) => checkIn(record, "errors").odds);
  };
  const [told, untold] = [odds(uneven), odds(undefined)];
  expect(told[5]).toBe(untold[5]);
  expect(Math.abs(Math.log(Number(told[6]) / Number(told[5])))).toBeLessThan(Math.abs(Math.log(Number(untold[6]) / Number(untold[5]))));
});

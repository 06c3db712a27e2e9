import { fc, test as law } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { NOBODY_FAILED, type ToldUsers, withUsers } from "../../../src/controller/told-users.ts";
import type { EvidenceBatch } from "../../../src/core/judge/types.ts";

const outcomes = (failed: number) => ({ decided: 0, settled: 0, requests: 100, failed, latency: [] });
const batchOf = (stable: number, canary: number, keys?: number): EvidenceBatch => ({
  nowMs: 0,
  run: 2,
  runCanary: 0,
  stable: outcomes(stable),
  canary: outcomes(canary),
  ...(keys === undefined ? {} : { halves: { keys: half(keys), hosts: half(keys) } }),
});
const half = (failed: number) => ({ requests: 50, failed, latency: [] });
const users = (newly: number, knownRequests: number) => ({ newly, knownRequests });
const figures = (canary = users(0, 0), stable = users(0, 0), half = users(0, 0)): ToldUsers => ({ stable, canary, half });

/** What the judge is told of the canary with each batch. */
function toldOf(batches: readonly Readonly<{ failed: number; known: ReturnType<typeof users> }>[]) {
  let told = NOBODY_FAILED;
  return batches.map(({ failed, known }) => {
    const next = withUsers(batchOf(0, failed), told, figures(known));
    told = next.told;
    return next.batch.canary.users;
  });
}

describe("failing users of a batch", () => {
  test("that may all be known ones are, but for those that surely fail newly", () => {
    const told = figures(users(2, 5));
    const { batch } = withUsers(batchOf(3, 10), told, { ...figures(users(6, 5), users(1, 1)), isOpen: true });
    expect([batch.canary.users, batch.stable.users]).toEqual([users(4, 6), users(1, 1)]);
    expect(withUsers(batchOf(0, 3), told, { ...figures(users(6, 5)), isOpen: true }).batch.canary.users).toEqual(users(3, 0));
  });

  test.each([
    {
      title: "are those that are new since the last one",
      batches: [
        { failed: 3, known: users(1, 2) },
        { failed: 9, known: users(4, 7) },
      ],
      told: [users(1, 2), users(3, 5)],
    },
    {
      title: "wait for the next batch where they are more than its failed requests",
      batches: [
        { failed: 2, known: users(0, 5) },
        { failed: 10, known: users(0, 6) },
        { failed: 10, known: users(0, 6) },
      ],
      told: [users(0, 2), users(0, 4), users(0, 0)],
    },
    {
      title: "are nobody where figures went down, and count again only beyond what was told",
      batches: [
        { failed: 9, known: users(5, 0) },
        { failed: 9, known: users(3, 0) },
        { failed: 9, known: users(7, 0) },
      ],
      told: [users(5, 0), users(0, 0), users(2, 0)],
    },
    {
      title: "are new only as far as failed requests are not those of known users",
      batches: [
        { failed: 4, known: users(3, 3) },
        { failed: 4, known: users(3, 3) },
      ],
      told: [users(1, 3), users(2, 0)],
    },
  ])("$title", ({ batches, told }) => {
    expect(toldOf(batches)).toEqual(told);
  });

  test("are told of the half of stable's users too", () => {
    const { batch } = withUsers(batchOf(10, 0, 6), NOBODY_FAILED, figures(users(0, 0), users(2, 5), users(1, 3)));
    expect([batch.stable.users, batch.halves?.keys?.users]).toEqual([users(2, 5), users(1, 3)]);
  });

  test("of the half are as many as the other half has no failed requests for", () => {
    const { batch } = withUsers(batchOf(10, 0, 9), NOBODY_FAILED, figures(users(0, 0), users(2, 5), users(0, 0)));
    expect(batch.halves?.keys?.users).toEqual(users(2, 4));
  });

  test.each([
    { title: "their part of the failed requests", failed: 5, part: users(2, 3) },
    { title: "all where all failed requests are there", failed: 10, part: users(4, 5) },
    { title: "none where none are", failed: 0, part: users(0, 0) },
  ])("of a half of hosts are $title: nobody tells where a user failed", ({ failed, part }) => {
    const { batch } = withUsers(batchOf(10, 0, failed), NOBODY_FAILED, figures(users(0, 0), users(4, 5)));
    expect(batch.halves?.hosts?.users).toEqual(part);
  });

  test("are nobody of halves in a batch without a failed request", () => {
    const { batch } = withUsers(batchOf(0, 0, 0), NOBODY_FAILED, figures(users(0, 0), users(4, 5)));
    expect(batch.halves?.hosts?.users).toEqual(users(0, 0));
  });

  const count = fc.integer({ min: 0, max: 20 });
  const figure = fc.record({ newly: count, knownRequests: count });
  const step = fc.record({ half: count, others: count, canary: count, known: fc.record({ stable: figure, canary: figure, half: figure }) });

  law.prop([fc.array(step, { maxLength: 20 })])(
    "never exceed the failed requests of a side or a half, nor in all the most that was known",
    (steps) => {
      let told = NOBODY_FAILED;
      const fits = steps.flatMap(({ half, others, canary, known }) => {
        const next = withUsers(batchOf(half + others, canary, half), told, known);
        told = next.told;
        const { stable, halves } = next.batch;
        const [whole, part] = [stable.users ?? users(0, 0), halves?.keys?.users ?? users(99, 99)];
        const rest = users(whole.newly - part.newly, whole.knownRequests - part.knownRequests);
        return [[part, half] as const, [rest, others] as const, [next.batch.canary.users ?? users(99, 99), canary] as const].map(
          ([{ newly, knownRequests }, failed]) => newly >= 0 && knownRequests >= 0 && newly + knownRequests <= failed,
        );
      });
      expect(fits).not.toContain(false);
      const most = Math.max(0, ...steps.map(({ known }) => known.canary.knownRequests));
      expect(told.canary.knownRequests).toBeLessThanOrEqual(most);
    },
  );
});

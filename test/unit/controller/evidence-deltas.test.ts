import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { type Cursors, CursorsSchema, closeRuns, deltas, noCursors } from "../../../src/controller/evidence-deltas.ts";
import type { Point } from "../../../src/controller/evidence-points.ts";
import { pointOf } from "./builders.ts";

type Message = Readonly<{ sidecar?: string; sequence: number; points: readonly Point[] }>;

/** What a series of messages adds up to. */
function countOf(messages: readonly Message[], firstRun = 1): number {
  let cursors: Cursors = noCursors(firstRun);
  let count = 0;
  for (const { sidecar, sequence, points } of messages) {
    const counted = deltas(cursors, sidecar ?? "a", sequence, points);
    // Cursors are stored as JSON between any two messages.
    cursors = CursorsSchema.parse(JSON.parse(JSON.stringify(counted.cursors)));
    for (const delta of counted.deltas) count += delta.values[0] ?? 0;
  }
  return count;
}

const message = (sequence: number, value: number, change: Partial<Point> = {}): Message => ({
  sequence,
  points: [pointOf({ values: [value], ...change })],
});

describe("cumulative evidence becomes new counts", () => {
  test.each([
    { title: "the first message counts in full", messages: [message(1, 10)], count: 10 },
    { title: "the next one counts what is new", messages: [message(1, 10), message(2, 25)], count: 25 },
    { title: "a lost message costs nothing", messages: [message(1, 10), message(7, 40)], count: 40 },
    { title: "a message that comes twice counts once", messages: [message(1, 10), message(1, 10)], count: 10 },
    { title: "a message that was overtaken counts nothing", messages: [message(2, 25), message(1, 10)], count: 25 },
    {
      title: "a restarted sidecar counts from zero on top, though its sequence begins anew",
      messages: [message(9, 10), message(1, 4, { start: 2_000n })],
      count: 14,
    },
    {
      title: "a late message of the process before a restart counts nothing",
      messages: [message(9, 10), message(1, 4, { start: 2_000n }), message(10, 12)],
      count: 14,
    },
    {
      title: "nor does it silence the process after, whatever runs it tells of besides",
      messages: [
        message(1, 4, { start: 2_000n }),
        { sequence: 500, points: [pointOf({ values: [12] }), pointOf({ run: 0, series: "earlier", values: [3] })] },
        { sequence: 501, points: [pointOf({ run: 0, series: "earlier", values: [3] })] },
        message(2, 9, { start: 2_000n }),
      ],
      count: 9,
    },
    { title: "a value that fell is a series that began anew", messages: [message(1, 10), message(2, 3)], count: 13 },
    { title: "runs before the first one of the attempt never count", messages: [message(1, 10, { run: 0 })], count: 0 },
    {
      title: "two sidecars are counted apart",
      messages: [message(1, 10), { ...message(1, 7), sidecar: "b" }],
      count: 17,
    },
    {
      title: "two series of one sidecar are counted apart",
      messages: [message(1, 10), message(2, 7, { series: "other" })],
      count: 17,
    },
  ])("$title", ({ messages, count }) => {
    expect(countOf(messages)).toBe(count);
  });

  test("a histogram grows bucket by bucket", () => {
    const first = deltas(noCursors(1), "a", 1, [pointOf({ measure: "latency", values: [1, 2, 3] })]);
    const next = deltas(first.cursors, "a", 2, [pointOf({ measure: "latency", values: [1, 4, 9] })]);
    expect(next.deltas.map(({ values }) => values)).toEqual([[0, 2, 6]]);
  });

  test("halves grow with what they are parts of, whatever is lost, repeated, late or begun anew", () => {
    const told = (sequence: number, [ok, half]: readonly [number, number], start = 1_000n) =>
      [sequence, [pointOf({ values: [ok], start }), pointOf({ series: "half", half: "hosts", values: [half], start })]] as const;
    let cursors = noCursors(1);
    const found = [
      told(1, [10, 4]),
      told(1, [10, 4]),
      told(4, [30, 11]),
      told(3, [20, 8]),
      told(1, [6, 6], 2_000n),
      told(5, [40, 12]),
      told(2, [9, 7], 2_000n),
    ].map(([sequence, points]) => {
      const counted = deltas(cursors, "a", sequence, points);
      cursors = CursorsSchema.parse(JSON.parse(JSON.stringify(counted.cursors)));
      return counted.deltas.map(({ half, values }) => [half ?? "whole", values[0]]);
    });
    expect(found).toEqual([
      [
        ["whole", 10],
        ["hosts", 4],
      ],
      [],
      [
        ["whole", 20],
        ["hosts", 7],
      ],
      [],
      [
        ["whole", 6],
        ["hosts", 6],
      ],
      [],
      [
        ["whole", 3],
        ["hosts", 1],
      ],
    ]);
  });

  property.prop([fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 30 }), fc.array(fc.nat({ max: 29 }), { maxLength: 30 })])(
    "whatever is lost, repeated or late, the sum is the highest value that arrived in order",
    (steps, disturbances) => {
      let total = 0;
      const sent = steps.map((step, index) => message(index + 1, (total += step)));
      const disturbed = sent.flatMap((entry, index) => {
        const earlier = disturbances[index];
        const repeat = earlier === undefined ? undefined : sent[Math.min(earlier, index)];
        return repeat === undefined ? [entry] : [entry, repeat];
      });
      expect(countOf(disturbed)).toBe(total);
    },
  );
});

describe("closing runs", () => {
  const both = deltas(noCursors(1), "a", 1, [pointOf({ series: "old", run: 1 }), pointOf({ series: "new", run: 4 })]).cursors;

  test("forgets the cursors of closed runs and keeps the others", () => {
    expect(Object.keys(closeRuns(both, 3).sources["a"]?.series ?? {})).toEqual(["new"]);
  });

  test("counts nothing of a closed run a second time", () => {
    const late = deltas(closeRuns(both, 3), "a", 2, [pointOf({ series: "old", run: 1, values: [99] })]);
    expect(late.deltas).toEqual([]);
  });

  test("never opens a run again", () => {
    expect(closeRuns(closeRuns(both, 3), 2).closedBelow).toBe(3);
  });
});

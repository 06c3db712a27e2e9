import { fc, test as propertyTest } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { eventReader } from "../../../src/ui/event-text.ts";

function readAll(pieces: readonly string[]): string[] {
  const found: string[] = [];
  const reader = eventReader((data) => found.push(data));
  for (const piece of pieces) reader.push(piece);
  return found;
}

describe("the reader of a stream of events", () => {
  propertyTest.prop([fc.array(fc.json(), { maxLength: 6 }), fc.array(fc.nat({ max: 400 }), { maxLength: 8 })])(
    "gives each event once and in order, wherever the network cuts",
    (values, cuts) => {
      const text = values.map((value) => `event: x\ndata: ${value}\n\n: beat\n\n`).join("");
      const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).toSorted((a, b) => a - b), text.length];
      expect(readAll(places.map((from, index) => text.slice(from, places[index + 1])))).toEqual(values);
    },
  );

  test("keeps to itself what has no end yet, and what is no event", () => {
    expect(readAll([": beat\n\n", "event: x\n\n", "data: 1\n"])).toEqual([]);
  });

  test("refuses an event that never ends", () => {
    expect(() => readAll(["x".repeat(16_000_001)])).toThrow("does not end");
  });
});

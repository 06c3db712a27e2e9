import { describe, expect, test } from "vitest";
import { EvidenceSchema } from "../../../src/contract/evidence.ts";
import { pointsOf } from "../../../src/controller/evidence-points.ts";
import { evidenceOf } from "./builders.ts";

const read = (message: unknown) => pointsOf(EvidenceSchema.parse(message));
const canary = { variant: "canary", run: 3, decided: 12, ok: 9, failed: 2, aborted: 1 } as const;

describe("an evidence message", () => {
  test("gives decisions, outcomes and latencies of a variant with the run that decided them", () => {
    const { points, sequence, unreadable } = read(evidenceOf("cart", 7, [canary]));
    const seen = points.map(({ measure, variant, run, values }) => [measure, variant, run, values.reduce((sum, value) => sum + value)]);
    expect(seen).toEqual([
      ["shared", "canary", 3, 12],
      ["ok", "canary", 3, 9],
      ["failed", "canary", 3, 2],
      ["settled", "canary", 3, 12],
      ["latency", "canary", 3, 11],
    ]);
    expect([sequence, unreadable]).toEqual([7, 0]);
  });

  test("keeps decisions by share apart from all others", () => {
    const text = JSON.stringify(evidenceOf("cart", 1, [canary]));
    const others = ["target", "no key", "cohort", "off"].map(
      (reason) => read(JSON.parse(text.replace('"share"', `"${reason}"`))).points[0]?.measure,
    );
    expect(others).toEqual(["decided", "decided", "decided", "decided"]);
  });

  test("marks the control slice of stable", () => {
    const { points } = read(evidenceOf("cart", 1, [{ variant: "stable", run: 3, control: true, decided: 5, ok: 5, failed: 0 }]));
    expect(new Set(points.map(({ control }) => control))).toEqual(new Set([true]));
  });

  test("names each series, so that two of them are never mixed up", () => {
    const { points } = read(evidenceOf("cart", 1, [canary, { ...canary, run: 4 }, { ...canary, variant: "stable" }]));
    expect(new Set(points.map(({ series }) => series)).size).toBe(points.length);
  });

  test.each([
    { title: "64-bit times as text", nanos: "1764000000000000001", start: 1_764_000_000_000_000_001n },
    { title: "64-bit times as two halves", nanos: { low: 1, high: 2 }, start: (2n << 32n) + 1n },
    { title: "halves whose upper bit is set", nanos: { low: -1, high: 0 }, start: 0xff_ff_ff_ffn },
    { title: "times as numbers", nanos: 5_000, start: 5_000n },
  ])("reads $title", ({ nanos, start }) => {
    const message = evidenceOf("cart", 1, [canary]);
    const text = JSON.stringify(message).replaceAll('"startTimeUnixNano":"1000"', `"startTimeUnixNano":${JSON.stringify(nanos)}`);
    expect(new Set(read(JSON.parse(text)).points.map((point) => point.start))).toEqual(new Set([start]));
  });

  test.each([
    { title: "other latency bounds", from: '"explicitBounds":[0.001,', to: '"explicitBounds":[0.0015,' },
    { title: "an unknown class of outcome", from: '"stringValue":"ok"', to: '"stringValue":"fine"' },
    { title: "a negative count", from: '"asInt":"9"', to: '"asInt":"-9"' },
  ])("says that it cannot read $title, and reads the rest", ({ from, to }) => {
    const text = JSON.stringify(evidenceOf("cart", 1, [canary]));
    expect(text).toContain(from);
    const { unreadable, points } = read(JSON.parse(text.replace(from, to)));
    expect([unreadable, points.length]).toEqual([1, 4]);
  });

  test("tells of halves of stable which half they are, and that they are parts", () => {
    const { points, unreadable } = read(evidenceOf("cart", 1, [{ ...canary, variant: "stable", half: { ok: 4, failed: 1 } }]));
    const halves = points
      .filter(({ half }) => half !== undefined)
      .map(({ half, measure, values }) => [half, measure, values.reduce((a, b) => a + b)]);
    expect(halves).toEqual([
      ["hosts", "ok", 4],
      ["hosts", "failed", 1],
      ["hosts", "latency", 5],
    ]);
    expect([unreadable, new Set(points.map(({ series }) => series)).size]).toEqual([0, points.length]);
  });

  test("says that it cannot read a half that it does not know", () => {
    const text = JSON.stringify(evidenceOf("cart", 1, [{ ...canary, variant: "stable", half: { ok: 4, failed: 1 } }]));
    expect(read(JSON.parse(text.replaceAll('"hosts"', '"moons"'))).unreadable).toBe(3);
  });
});

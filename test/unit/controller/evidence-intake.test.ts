import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { deltas, noCursors } from "../../../src/controller/evidence-deltas.ts";
import { EvidenceIntake } from "../../../src/controller/evidence-intake.ts";
import type { SourcedReport } from "../../../src/controller/judging.ts";
import { evidenceOf } from "./builders.ts";

const canary = { variant: "canary", decided: 12, ok: 9, failed: 2 } as const;
const LARGE_BYTES = 40_000;

/** A message with this sequence; a large one holds a text that nobody reads. */
const message = (sequence: number, size: "small" | "large", { sidecar = "side-1", run = 3 } = {}) => {
  const text = JSON.stringify({
    ...evidenceOf("cart", sequence, [{ ...canary, run }]),
    ...(size === "large" && { filler: "x".repeat(LARGE_BYTES) }),
  });
  return { subject: SUBJECTS.evidence(sidecar), data: new TextEncoder().encode(text) };
};

function intake(maxBytes?: number) {
  const heard: SourcedReport[] = [];
  const said: string[] = [];
  const log = { warn: (_: object, text: string) => void said.push(text) };
  const hears = new EvidenceIntake(log, (report) => void heard.push(report), maxBytes);
  return { hears, said, reports: heard, heard: () => heard.map(({ sidecar, report }) => `${sidecar} ${report.sequence}`) };
}

describe("evidence that comes in", () => {
  test("is read at once where it is about few rollouts, also while others wait", () => {
    const { hears, heard } = intake();
    hears.hear(message(1, "large"));
    hears.hear(message(1, "small", { sidecar: "side-2" }));
    expect(heard()).toEqual(["side-2 1"]);
    hears.close();
  });

  test("of one sidecar is read in its sequence and before that of others, so that what it says but once counts when few words follow", async () => {
    const { hears, heard, reports } = intake();
    hears.hear(message(1, "large", { sidecar: "side-2" }));
    hears.hear(message(1, "large", { run: 2 }));
    hears.hear(message(2, "small"));
    while (heard().length < 2) await turn();
    expect(heard()).toEqual(["side-1 1", "side-1 2"]);
    let cursors = noCursors(1);
    const runs = reports.flatMap(({ sidecar, report: { sequence, points } }) => {
      const counted = deltas(cursors, sidecar, sequence, points);
      cursors = counted.cursors;
      return counted.deltas.filter(({ measure }) => measure === "ok").map(({ run, values }) => [run, values]);
    });
    expect(runs).toEqual([
      [2, [9]],
      [3, [9]],
    ]);
    hears.close();
  });

  test("is read one message in a turn where it is about many, in order", async () => {
    const { hears, heard } = intake();
    for (const sequence of [1, 2, 3]) hears.hear(message(sequence, "large"));
    const seen: string[][] = [];
    while (heard().length < 3) {
      await turn();
      seen.push(heard());
    }
    expect(heard()).toEqual(["side-1 1", "side-1 2", "side-1 3"]);
    expect(seen.map(({ length }, index) => length - (seen[index - 1]?.length ?? 0)).every((more) => more <= 1)).toBe(true);
  });

  test("loses its oldest where more comes than can wait, and says so", async () => {
    const { hears, heard, said } = intake(3 * LARGE_BYTES);
    for (const sequence of [1, 2, 3, 4]) hears.hear(message(sequence, "large"));
    while (heard().length < 2) await turn();
    await turn();
    expect(heard()).toEqual(["side-1 3", "side-1 4"]);
    expect(said).toEqual(Array.from({ length: 2 }, () => "more evidence comes than can be read, the oldest is dropped"));
  });

  test("that cannot be read is said, and the next is read", () => {
    const { hears, heard, said } = intake();
    hears.hear({ subject: "serin.evidence.side-1", data: new TextEncoder().encode("{") });
    hears.hear(message(2, "small"));
    expect([heard(), said]).toEqual([["side-1 2"], ["evidence that cannot be read"]]);
  });

  test("is forgotten when the time in office ends", async () => {
    const { hears, heard } = intake();
    hears.hear(message(1, "large"));
    hears.close();
    await turn();
    await turn();
    expect(heard()).toEqual([]);
  });
});

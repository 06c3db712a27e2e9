import { describe, expect, test } from "vitest";
import { EvidenceSchema } from "../../../src/contract/evidence.ts";
import { readEvidence } from "../../../src/controller/evidence-check.ts";
import { pointsOf } from "../../../src/controller/evidence-points.ts";
import { systemClock } from "../../../src/io/clock.ts";
import { createLog } from "../../../src/io/log.ts";
import { createCells } from "../../../src/sidecar/cells.ts";
import { createCurrentRules } from "../../../src/sidecar/current-rules.ts";
import { createEvidenceRounds } from "../../../src/sidecar/evidence-rounds.ts";
import { createFakeLink } from "../../support/fake-link.ts";

/** What a sidecar sends of a stable and a canary. */
async function sent(): Promise<string> {
  const { link, published } = createFakeLink();
  const cells = createCells({ nowMs: systemClock.nowMs, runInForce: () => 3 });
  for (const variant of ["stable", "canary"]) {
    const labels = { rollout: "cart", variant, run: 3, control: false };
    cells.decided(labels, "share");
    for (const end of ["ok", "failed", "aborted"] as const)
      cells.ended(labels, { class: end, latencyMs: 12, isSession: false, bucket: 7, isOddHost: true });
  }
  const log = createLog({ name: "test", level: "silent" });
  const parts = { id: "side-1", link, cells, log, clock: systemClock, rules: createCurrentRules(systemClock.nowMs) };
  await createEvidenceRounds({ ...parts, slices: async () => undefined }).tell(cells.all());
  return published[0]?.text ?? "";
}

describe("evidence as sidecars send it", () => {
  test("is read as its schema reads it, and without a copy", async () => {
    const message: unknown = JSON.parse(await sent());
    expect(readEvidence(message)).toBe(message);
    expect(pointsOf(readEvidence(message))).toEqual(pointsOf(EvidenceSchema.parse(message)));
    expect(pointsOf(readEvidence(message)).points.length).toBeGreaterThan(10);
  });

  test("is read the same when its series come again", async () => {
    const message = readEvidence(JSON.parse(await sent()));
    const known = new Map();
    expect([pointsOf(message, known), pointsOf(message, known)]).toEqual([pointsOf(message), pointsOf(message)]);
    expect(known.size).toBeGreaterThan(10);
  });
});

describe("evidence in another form", () => {
  const changes = [
    { title: "counts as text", from: /"asInt":(\d+)/g, to: '"asInt":"$1"' },
    { title: "counts as decimals", from: /"asInt":(\d+)/g, to: '"asDouble":$1' },
    { title: "negative counts", from: /"asInt":(\d+)/g, to: '"asInt":"-$1"' },
    { title: "counts that are none", from: /"asInt":(\d+)/g, to: '"asInt":"many"' },
    { title: "counts since each message", from: /"aggregationTemporality":2/g, to: '"aggregationTemporality":1' },
    { title: "times that are none", from: /"startTimeUnixNano":"\d+"/g, to: '"startTimeUnixNano":"noon"' },
    { title: "times as two halves", from: /"startTimeUnixNano":"\d+"/g, to: '"startTimeUnixNano":{"low":1,"high":2}' },
    { title: "times as numbers", from: /"startTimeUnixNano":"\d+"/g, to: '"startTimeUnixNano":5' },
    { title: "labels that are true", from: /"stringValue":"false"/g, to: '"boolValue":true' },
    { title: "labels that are lists", from: /"stringValue":"false"/g, to: '"arrayValue":{}' },
    { title: "labels without a value", from: /"value":\{"stringValue":"false"\}/g, to: '"worth":1' },
    { title: "buckets that are none", from: /"bucketCounts":\[/g, to: '"bucketCounts":[null,' },
    { title: "bounds as text", from: /"explicitBounds":\[/g, to: '"explicitBounds":["0",' },
    { title: "metrics without a name", from: /"name":"serin_[a-z_]+"/g, to: '"named":1' },
    { title: "no resource", from: /"resource":/g, to: '"source":' },
    { title: "points that are none", from: /"dataPoints":\[/g, to: '"dataPoints":[7,' },
    { title: "nothing at all", from: /^.*$/s, to: '{"resourceMetrics":[]}' },
    { title: "something else", from: /^.*$/s, to: '"hello"' },
    { title: "null", from: /^.*$/s, to: "null" },
  ];
  test.each(changes)("with $title, is what its schema makes of it", async ({ from, to }) => {
    const before = await sent();
    const text = before.replace(from, to);
    expect(text).not.toBe(before);
    const bySchema = EvidenceSchema.safeParse(JSON.parse(text));
    const read = (): unknown => pointsOf(readEvidence(JSON.parse(text)));
    const seen = bySchema.success ? read() : attempt(read);
    expect(seen).toEqual(bySchema.success ? pointsOf(bySchema.data) : "refused");
  });
});

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return "refused";
  }
}

import { expect, test } from "vitest";
import { HALF_METRICS } from "../../../src/contract/evidence.ts";
import { createLog } from "../../../src/io/log.ts";
import { createCells } from "../../../src/sidecar/cells.ts";
import { createCurrentRules } from "../../../src/sidecar/current-rules.ts";
import { createEvidenceRounds } from "../../../src/sidecar/evidence-rounds.ts";
import { cellMetricParts } from "../../../src/sidecar/metric-data.ts";
import { createFakeLink } from "../../support/fake-link.ts";

const clock = { nowMs: () => 2_000, monotonicMs: () => 2_000 };
const stable = { rollout: "checkout", variant: "stable", run: 3, control: false } as const;

/** Rounds over these cells, and what was told beforehand with how many messages were out by then. */
function begin() {
  const fake = createFakeLink();
  const cells = createCells({ nowMs: clock.nowMs, runInForce: () => 3 });
  const told: (readonly [rollouts: string[], published: number])[] = [];
  const rounds = createEvidenceRounds({
    id: "s1",
    link: fake.link,
    rules: createCurrentRules(clock.nowMs),
    cells,
    clock,
    log: createLog({ name: "test", level: "silent" }),
    slices: () => Promise.resolve(),
    beforehand: (rollouts) => void told.push([[...rollouts], fake.published.length]),
  });
  return { fake, cells, told, rounds };
}

test("before evidence is sent, what its rollouts need beforehand is told, of each once", async () => {
  const { fake, cells, told, rounds } = begin();
  cells.decided(stable, "share");
  cells.decided({ ...stable, variant: "canary" }, "share");
  cells.decided({ ...stable, rollout: "search" }, "share");
  await rounds.tell(cells.all());
  await rounds.tell(cells.all());
  expect([told, fake.published.length]).toEqual([[[["checkout", "search"], 0]], 1]);
});

test("halves of stable stand in evidence, with what they are halves of, and in no scrape", async () => {
  const { fake, cells, rounds } = begin();
  cells.ended(stable, { class: "ok", latencyMs: 2, isSession: false, bucket: 1, isOddHost: true });
  cells.ended(stable, { class: "failed", latencyMs: 2, isSession: false, bucket: 1, isOddHost: false });
  await rounds.tell(cells.all());
  const metrics: { name: string; sum?: { dataPoints: unknown[] } }[] = JSON.parse(fake.published[0]?.text ?? "").resourceMetrics[0]
    .scopeMetrics[0].metrics;
  const outcomes = metrics.find(({ name }) => name === HALF_METRICS.outcomes)?.sum?.dataPoints;
  const attributes = Object.entries({ rollout: "checkout", variant: "stable", run: "3", control: "false", half: "hosts", class: "ok" });
  expect(outcomes?.[0]).toMatchObject({
    asInt: 1,
    startTimeUnixNano: "2000000000",
    attributes: attributes.map(([key, stringValue]) => ({ key, value: { stringValue } })),
  });
  expect(metrics.map(({ name }) => name)).toContain(HALF_METRICS.duration);
  const scraped = [...cellMetricParts(cells.all, clock.nowMs)].map(({ descriptor }) => descriptor.name);
  expect(scraped.filter((name) => name.includes("half"))).toEqual([]);
});
